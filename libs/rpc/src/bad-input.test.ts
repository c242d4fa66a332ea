import { badInputCases } from "../test/bad-input-cases.ts";
import { startWire } from "../test/wire.ts";

badInputCases(() => startWire());
