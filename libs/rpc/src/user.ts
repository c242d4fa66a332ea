import type { Transport } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "./errors.ts";

/** Header by which a caller says who asks. It is believed: until there is sign-in, whoever reaches the server may write any name. */
export const USER_HEADER = "odg-user";

const LONGEST = 256;

/**
 * The same transport, whose calls say who asks.
 *
 * @param user Printable ASCII, at most 256 characters
 * @throws ConnectError with FIELD_FORMAT where the name cannot stand in a header
 */
export function asUser(transport: Transport, user: string): Transport {
  if (!isUserName(user)) {
    throw reject(Reason.FIELD_FORMAT, {
      message: `a user name has 1 to ${LONGEST} printable ASCII characters, and no space at its ends`,
      field: USER_HEADER,
    });
  }
  const named = (init: ConstructorParameters<typeof Headers>[0]): Headers => {
    const header = new Headers(init);
    if (!header.has(USER_HEADER)) header.set(USER_HEADER, user);
    return header;
  };
  return {
    unary: (method, signal, timeoutMs, header, input, values) =>
      transport.unary(method, signal, timeoutMs, named(header), input, values),
    stream: (method, signal, timeoutMs, header, input, values) =>
      transport.stream(method, signal, timeoutMs, named(header), input, values),
  };
}

/** Whether a name can stand in {@link USER_HEADER}. */
export function isUserName(name: string): boolean {
  return name.length <= LONGEST && /^[!-~]([ -~]*[!-~])?$/.test(name);
}
