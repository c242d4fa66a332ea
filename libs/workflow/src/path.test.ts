import { expect, test } from "vitest";
import { pathSteps, pathText } from "./path.ts";

test.each([[["tasks", 3, "depends_on", 0]], [["tasks", 0, "inputs", 'a "b" [1]', 2, "c"]], [[]]])(
  "the steps of a path's text are the path: %j",
  (path) => {
    expect(pathSteps(pathText(path))).toEqual(path);
  },
);
