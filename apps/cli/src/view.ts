import { surroundings } from "./config.ts";
import { LineView, type RunView, silentView, TreeView } from "./live-tree.ts";

/** The view that fits the terminal and the flags. */
export function viewFor(flags: { quiet?: boolean; json?: boolean }): RunView {
  if (flags.quiet || flags.json) return silentView;
  return surroundings.stderrIsTerminal ? new TreeView() : new LineView();
}
