// The echo expert on a port of its own, for placement remote; says its URL on the first line, and ends with its standard input.
import { serveExpert } from "@odg/expert-plugin-api/serve";
import echo from "../echo-expert/index.ts";

const server = await serveExpert(echo, { host: "http://127.0.0.1:1" });
console.log(server.url);
process.stdin.resume().on("end", () => void server.close());
