import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** User and password of a URI: what stands between `://` and `@`. */
const USER_INFO = /(?<=:\/\/)[^\s/?#"'@]+(?=@)/gu;
/** Parameters of a URI that grant access: passwords, tokens, the signature of a presigned address. */
const PARAMETER =
  /(?<=[?&][\w.-]*(?:password|passwd|secret|token|signature|credential|apikey|api_key|access_key)=)[^\s&#"']+/giu;

/** A text without what grants access in the URIs within: `postgres://…@db/orders`. The rest stays as it is. */
export function withoutCredentials(text: string): string {
  return text.replace(USER_INFO, "…").replace(PARAMETER, "…");
}

/** {@link withoutCredentials} for every text in a JSON object. */
export function objectWithoutCredentials(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, valueWithoutCredentials(value)]));
}

function valueWithoutCredentials(value: JsonValue): JsonValue {
  if (typeof value === "string") return withoutCredentials(value);
  if (Array.isArray(value)) return value.map(valueWithoutCredentials);
  return typeof value === "object" && value !== null ? objectWithoutCredentials(value) : value;
}
