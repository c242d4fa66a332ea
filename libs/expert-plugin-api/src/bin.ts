#!/usr/bin/env node
/** The command `odg-expert`: `odg-expert test [folder or URL]`. */
import { parseArgs } from "node:util";
import { EXIT, printOutcomes } from "./testing/print-outcomes.ts";
import { testPackage } from "./testing/test-package.ts";

const USAGE = `odg-expert test [folder or URL]
  --placement module|process   for a folder: in this process, or in one of its own
  --samples <file>             the calls that must succeed; odg.samples.json where absent
  --token <token>              for a URL: what the expert wants as its bearer token
  --host-port <port>           for a URL: where the expert was told to find its host; 50052 where absent
`;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = EXIT.usage;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      placement: { type: "string" },
      samples: { type: "string" },
      token: { type: "string" },
      "host-port": { type: "string" },
    },
  });
  const [verb, subject = ".", more] = positionals;
  const { placement, samples, token, "host-port": port } = values;
  const known = placement === undefined || placement === "module" || placement === "process";
  if (verb !== "test" || more !== undefined || !known || (port !== undefined && !/^\d{1,5}$/.test(port))) {
    process.stderr.write(USAGE);
    return EXIT.usage;
  }
  const outcomes = testPackage({
    subject,
    ...(placement ? { placement } : {}),
    ...(samples ? { samples } : {}),
    ...(token ? { token } : {}),
    ...(port ? { hostPort: Number(port) } : {}),
  });
  return printOutcomes(outcomes, (line) => process.stdout.write(`${line}\n`));
}
