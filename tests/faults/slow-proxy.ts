// A TCP proxy that makes a connection slow, or takes it away.
import { connect, createServer, type Server, type Socket } from "node:net";

/** What a client sends to sign on: its start-up message and the two of SCRAM. They pass at once: it is statements that are slow. */
const SIGN_ON = 3;

/** In front of one Postgres. */
export class SlowProxy {
  /** Wait before anything from the client is handed on, in milliseconds. */
  delayMs = 0;
  /** Connections at once, at most so far. */
  most = 0;
  readonly #server: Server;
  readonly #target: URL;
  readonly #open = new Set<Socket>();

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  static async to(url: string): Promise<SlowProxy> {
    const proxy = new SlowProxy(new URL(url));
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** The same address, by way of the proxy. */
  through(url: string): string {
    const address = this.#server.address();
    const target = new URL(url);
    target.hostname = "127.0.0.1";
    target.port = String(typeof address === "object" ? address?.port : "");
    return target.href;
  }

  get connections(): number {
    return this.#open.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    this.#open.add(client);
    this.most = Math.max(this.most, this.#open.size);
    let sent = 0;
    client.on("data", (chunk: Buffer) => {
      const wait = sent++ < SIGN_ON ? 0 : this.delayMs;
      setTimeout(() => void (server.destroyed || server.write(chunk)), wait);
    });
    server.on("data", (chunk: Buffer) => client.write(chunk));
    const end = () => {
      this.#open.delete(client);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
  }
}
