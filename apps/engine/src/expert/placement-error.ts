/** A plugin that cannot be used, and why. */
export class PlacementError extends Error {
  override readonly name = "PlacementError";
}
