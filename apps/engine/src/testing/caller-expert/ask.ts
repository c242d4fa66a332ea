import { get } from "node:http";
import { text } from "node:stream/consumers";

/** What a server of this machine answers. */
export function ask({ port, path }: { port: number; path: string }, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path: `/${path}`, agent: false, ...(signal ? { signal } : {}) });
    request.on("response", (response) => resolve(text(response)));
    request.on("error", reject);
  });
}
