import { engineSubject } from "./engine.ts";

export default engineSubject("remote");
