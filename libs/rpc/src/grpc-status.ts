import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "@odg/proto/google/rpc/status_pb";

/**
 * An error as the headers of a gRPC answer that has nothing else ("trailers only").
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export function grpcStatusHeaders(error: ConnectError): Record<string, string> {
  const details = error.details.flatMap((one) =>
    "desc" in one ? [anyPack(one.desc, create(one.desc, one.value))] : [],
  );
  const status = create(StatusSchema, { code: error.code, message: error.rawMessage, details });
  return {
    "grpc-status": String(error.code),
    "grpc-message": encodeURIComponent(error.rawMessage),
    "grpc-status-details-bin": Buffer.from(toBinary(StatusSchema, status)).toString("base64"),
  };
}
