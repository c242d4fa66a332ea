import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

describe("the settings", () => {
  it("allow no page by default, and listen on the loopback interface", () => {
    expect(readConfig({})).toMatchObject({ host: "127.0.0.1", origins: [], engineUrl: "http://127.0.0.1:50051" });
  });

  it("take several origins", () => {
    const { origins } = readConfig({ ODG_GATEWAY_ORIGINS: "https://a.example, http://localhost:5173," });
    expect(origins).toEqual(["https://a.example", "http://localhost:5173"]);
  });

  it.each(["*", "null", "a.example", "https://a.example/", "https://a.example:443", "https://A.example", "ftp://a"])(
    "refuse %s as an origin, since no browser sends it",
    (origin) => {
      expect(() => readConfig({ ODG_GATEWAY_ORIGINS: `https://b.example,${origin}` })).toThrow(ConfigError);
    },
  );

  it("name all faults at once, without the values", () => {
    const broken = {
      ODG_ENGINE_URL: "s3cret://x",
      ODG_GATEWAY_HTTP_PORT: "70000",
      ODG_GATEWAY_MAX_REQUEST_BYTES: "1.5",
    };
    expect(() => readConfig(broken)).toThrow(
      /ODG_ENGINE_URL.*\n.*ODG_GATEWAY_HTTP_PORT.*\n.*ODG_GATEWAY_MAX_REQUEST_BYTES/,
    );
    expect(() => readConfig(broken)).not.toThrow(/s3cret|70000/);
  });
});
