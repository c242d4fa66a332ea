import type { ClientHttp2Stream, Http2Session } from "node:http2";
import { Http2SessionManager } from "@connectrpc/connect-node";

/**
 * Connect's manager of HTTP/2 connections, without the errors that nobody can catch: a session tells an error again after the manager
 * has stopped to listen, when the other side speaks HTTP/1.1, or when a call comes while an idle connection ends by a GOAWAY
 * (https://github.com/connectrpc/connect-es/issues/1768). The calls of the session get the error all the same.
 */
export class Sessions extends Http2SessionManager {
  private readonly guarded = new WeakSet<Http2Session>();

  override async request(...call: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...call);
    const { session } = stream;
    if (session && !this.guarded.has(session)) {
      this.guarded.add(session);
      session.on("error", () => undefined);
    }
    return stream;
  }
}
