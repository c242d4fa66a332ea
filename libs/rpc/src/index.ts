// Errors: what every part of the project needs.
export { type ErrorJson, toErrorJson } from "./error-json.ts";
export {
  type FieldViolation,
  failureOf,
  ownReason,
  presentable,
  type RejectDetails,
  reasonOf,
  reject,
  requestIdOf,
  retryAfterOf,
} from "./errors.ts";
export { codeName, httpStatusOf } from "./http-status.ts";
export {
  ERROR_DOMAIN,
  HELP_PAGE,
  helpLink,
  isNamedReason,
  type NamedReason,
  REASONS,
  type ReasonEntry,
  reasonName,
  reasonNamed,
} from "./reasons.ts";
