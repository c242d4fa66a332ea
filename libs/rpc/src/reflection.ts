import {
  type AnyDesc,
  create,
  createRegistry,
  type DescFile,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@odg/proto/google/rpc/error_details_pb";
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
  ServerReflection as V1,
} from "@odg/proto/grpc/reflection/v1/reflection_pb";
import {
  ServerReflectionRequestSchema as AlphaRequestSchema,
  ServerReflectionResponseSchema as AlphaResponseSchema,
  ServerReflection as V1Alpha,
} from "@odg/proto/grpc/reflection/v1alpha/reflection_pb";
import type { Routes } from "./handler.ts";

type Reply = MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"];

/**
 * `grpc.reflection.v1.ServerReflection` and v1alpha (older grpcurl, Postman) for these services. They answer from the
 * descriptors that the generated code holds, so there is no file to ship.
 */
export function reflectionRoutes(services: readonly DescService[]): Routes {
  const listed = [...services, V1, V1Alpha];
  // No service imports the details of errors, but a caller who knows the services by reflection must read them.
  const roots = [...listed.map((service) => service.file), ErrorInfoSchema.file];
  const files = [...new Set(roots.flatMap(withDependencies))];
  const known: Known = { files, names: listed.map((s) => s.typeName).sort(), registry: createRegistry(...files) };
  return (router) => {
    router.service(V1, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) yield respond(known, request);
      },
    });
    router.service(V1Alpha, {
      async *serverReflectionInfo(requests) {
        // The two versions are the same on the wire.
        for await (const request of requests) {
          const v1 = fromBinary(ServerReflectionRequestSchema, toBinary(AlphaRequestSchema, request));
          const bytes = toBinary(ServerReflectionResponseSchema, respond(known, v1));
          yield fromBinary(AlphaResponseSchema, bytes);
        }
      },
    });
  };
}

interface Known {
  readonly files: readonly DescFile[];
  readonly names: readonly string[];
  readonly registry: Registry;
}

function withDependencies(file: DescFile): DescFile[] {
  return [file, ...file.dependencies.flatMap(withDependencies)];
}

function respond(known: Known, request: ServerReflectionRequest) {
  return create(ServerReflectionResponseSchema, {
    validHost: request.host,
    originalRequest: request,
    messageResponse: replyTo(known, request.messageRequest),
  });
}

function replyTo(known: Known, asked: ServerReflectionRequest["messageRequest"]): Reply {
  switch (asked.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: known.names.map((name) => ({ name })) } };
    case "fileByFilename":
      return fileReply(known.files.find((file) => file.proto.name === asked.value));
    case "fileContainingSymbol":
      return fileReply(fileOfSymbol(known.registry, asked.value));
    case "fileContainingExtension": {
      const extendee = known.registry.getMessage(asked.value.containingType);
      return fileReply(extendee && known.registry.getExtensionFor(extendee, asked.value.extensionNumber)?.file);
    }
    case "allExtensionNumbersOfType":
      return extensionNumbers(known.registry, asked.value);
    default:
      return errorReply(Code.InvalidArgument, "the request asks for nothing");
  }
}

function fileOfSymbol(registry: Registry, symbol: string): DescFile | undefined {
  const found = registry.get(symbol);
  if (found) return found.file;
  // A method, field or enum value belongs to the type before its last dot.
  const dot = symbol.lastIndexOf(".");
  const parent = dot > 0 ? registry.get(symbol.slice(0, dot)) : undefined;
  return parent && hasMember(parent, symbol.slice(dot + 1)) ? parent.file : undefined;
}

function hasMember(desc: AnyDesc, name: string): boolean {
  if (desc.kind === "service") return desc.methods.some((method) => method.name === name);
  if (desc.kind === "message") return [...desc.fields, ...desc.oneofs].some((member) => member.name === name);
  return desc.kind === "enum" && desc.values.some((value) => value.name === name);
}

function fileReply(file: DescFile | undefined): Reply {
  if (file === undefined) return errorReply(Code.NotFound, "there is no such file, symbol or extension");
  const protos = [...new Set(withDependencies(file))].map((one) => toBinary(FileDescriptorProtoSchema, one.proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: protos } };
}

function extensionNumbers(registry: Registry, typeName: string): Reply {
  if (!registry.getMessage(typeName)) return errorReply(Code.NotFound, "there is no such message");
  const extensions = [...registry].filter((desc) => desc.kind === "extension" && desc.extendee.typeName === typeName);
  const extensionNumber = extensions.map((desc) => (desc.kind === "extension" ? desc.number : 0));
  return { case: "allExtensionNumbersResponse", value: { baseTypeName: typeName, extensionNumber } };
}

function errorReply(code: Code, message: string): Reply {
  return { case: "errorResponse", value: { errorCode: code, errorMessage: message } };
}
