import type { HandlerContext } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { isUserName, reject, USER_HEADER } from "@odg/rpc";

/** Who calls; empty where nobody says. @throws ConnectError with FIELD_FORMAT */
export function userOf({ requestHeader }: Pick<HandlerContext, "requestHeader">): string {
  const name = requestHeader.get(USER_HEADER) ?? "";
  if (name === "" || isUserName(name)) return name;
  throw reject(Reason.FIELD_FORMAT, {
    message: "a user name has at most 256 printable ASCII characters, and no space at its ends",
    field: USER_HEADER,
  });
}
