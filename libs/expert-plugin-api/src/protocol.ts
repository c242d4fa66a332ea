/** Version of the protocol between engine and expert that this package speaks. */
export const PROTOCOL_VERSION = 1;

/** Metadata key under which an attempt proves itself to HostService. */
export const HOST_TOKEN_HEADER = "x-odg-host-token";

/**
 * The one line that an expert in a process of its own prints: version of the handshake, version of the protocol, network, address,
 * wire. After hashicorp/go-plugin, docs/internals.md.
 */
export const handshakeLine = (socketPath: string) => `1|${PROTOCOL_VERSION}|unix|${socketPath}|grpc`;
