import { ScaffoldError, scaffoldExpert } from "create-odg-expert";
import { EXIT } from "./exit-code.ts";
import { printData } from "./output.ts";
import { UsageError } from "./usage-error.ts";

/** Makes the package of a new expert. Answers the exit code. */
export async function expertNew(folder: string, flags: { api?: string }): Promise<number> {
  try {
    const files = await scaffoldExpert(folder, flags.api === undefined ? {} : { api: flags.api });
    printData(`${files.join("\n")}\n\nNext: cd ${folder} && npm install && npm test`);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ScaffoldError) throw new UsageError(error.message);
    throw error;
  }
}
