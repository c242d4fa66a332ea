export { rowCounter as default } from "./example-expert.ts";
