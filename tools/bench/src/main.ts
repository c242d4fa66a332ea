// npm run bench -- core | calls | dataflow | onboard | onboard-many | lag | deadline | restart | durable | lists, each with options of its own.
const BENCHES = [
  "core",
  "calls",
  "dataflow",
  "onboard",
  "onboard-many",
  "lag",
  "deadline",
  "restart",
  "durable",
  "lists",
];

// What is left are the bench's own arguments.
const [name = ""] = process.argv.splice(2, 1);
if (BENCHES.includes(name)) await import(`./${name}.ts`);
else {
  console.error(`usage: npm run bench -- ${BENCHES.join(" | ")}`);
  process.exitCode = 2;
}
