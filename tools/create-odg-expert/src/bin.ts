#!/usr/bin/env node
/** The command behind `npm create odg-expert <folder>`. */
import { parseArgs } from "node:util";
import { ScaffoldError, scaffoldExpert } from "./scaffold.ts";

const USAGE = "npm create odg-expert <folder> [-- --api <version or path of a tarball>]\n";

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { api: { type: "string" } } });
    const [folder, more] = positionals;
    if (folder === undefined || more !== undefined) {
      process.stderr.write(USAGE);
      return 2;
    }
    const files = await scaffoldExpert(folder, values.api === undefined ? {} : { api: values.api });
    process.stdout.write(`${files.join("\n")}\n\nNext: cd ${folder} && npm install && npm test\n`);
    return 0;
  } catch (error) {
    const known = error instanceof ScaffoldError || (error instanceof TypeError && "code" in error);
    process.stderr.write(`${known ? error.message : String(error)}\n`);
    return known ? 2 : 1;
  }
}
