import { describe, expect, test } from "vitest";
import { checkHost, listenAddress } from "../../src/http/access.ts";

describe("an address that only this machine can reach", () => {
  test.each(["localhost:80", "LOCALHOST:80", "127.0.0.1:80", "127.8.0.2:80", "[::1]:80"])(
    "is %s",
    (listen) => {
      expect(listenAddress(listen).isLoopback).toBe(true);
      expect(() => checkHost({ headers: { host: listen } })).not.toThrow();
    },
  );

  test.each(["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "127.0.0.1.example.org:80"])("is not %s", (listen) => {
    expect(listenAddress(listen).isLoopback).toBe(false);
    expect(() => checkHost({ headers: { host: listen } })).toThrow("expected the host localhost");
  });
});
