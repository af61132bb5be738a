import { describe, expect, test } from "vitest";
import { type RedisSettings, redisServer } from "../../../src/adapters/redis/server.ts";
import { settings } from "../../support/redis.ts";

const sentinel = {
  master: "main",
  nodes: ["10.0.0.1:26380", "sentinel-2"],
  username: "watcher",
  password: "s3ntinel",
};

describe("the settings of a Redis server", () => {
  test("name host, port, database and credentials by a URL", () => {
    const { name, options } = redisServer(settings("redis://worker:p%40ss@redis.internal:6380/3"));
    expect(name).toBe("redis://redis.internal:6380/3");
    expect(options).toEqual({
      host: "redis.internal",
      port: 6380,
      db: 3,
      username: "worker",
      password: "p@ss",
    });
  });

  test("have the usual port, database 0 and no credentials where the URL has none", () => {
    expect(redisServer(settings("redis://localhost")).options).toEqual({
      host: "localhost",
      port: 6379,
      db: 0,
    });
  });

  test("take user, password and database from their own keys before the URL's", () => {
    const others = { username: "other", password: "secret", database: 5 };
    const { options } = redisServer(settings("redis://worker:pass@localhost/3", others));
    expect(options).toMatchObject({ username: "other", password: "secret", db: 5 });
  });

  test("ask for TLS by rediss://, with authorities of their own where they are given", () => {
    expect(redisServer(settings("rediss://localhost")).options).toMatchObject({ tls: {} });
    const { options } = redisServer(settings("rediss://localhost", { ca: "PEM" }));
    expect(options).toMatchObject({ tls: { ca: "PEM" } });
  });

  test("name an IPv6 address in brackets", () => {
    const { name, options } = redisServer(settings("redis://[::1]:7000"));
    expect(options.host).toBe("::1");
    expect(name).toBe("redis://[::1]:7000/0");
  });

  test("lead to the primary of a Sentinel group, by TLS on both ways where the URL asks for it", () => {
    const { name, options } = redisServer(settings("rediss://worker:pass@unused/2", { sentinel }));
    expect(options).toEqual({
      name: "main",
      sentinels: [
        { host: "10.0.0.1", port: 26380 },
        { host: "sentinel-2", port: 26379 },
      ],
      sentinelUsername: "watcher",
      sentinelPassword: "s3ntinel",
      enableTLSForSentinelMode: true,
      sentinelTLS: {},
      tls: {},
      username: "worker",
      password: "pass",
      db: 2,
    });
    expect(name).toBe("rediss+sentinel://main@10.0.0.1:26380,sentinel-2:26379/2");
  });

  test.each<[string, string, Partial<RedisSettings>]>([
    ["http://localhost", "expected redis://host:port/database, found a URL that begins with http://", {}],
    ["localhost:6379", "expected redis://host:port/database, found a URL that begins with localhost://", {}],
    ["redis://u:hunter2@ho st", "expected redis://host:port/database, found something that is no URL", {}],
    ["redis://u:%zz@localhost", "the user or password in the URL has a % that encodes nothing", {}],
    ["redis://localhost/first", "expected the number of a database behind the host, found first", {}],
    [
      "redis://localhost",
      "expected host:port of a Sentinel, found something else",
      { sentinel: { ...sentinel, nodes: ["redis://a:1"] } },
    ],
  ])("are refused without their secrets: %s", (url, message, others) => {
    expect(() => redisServer(settings(url, others))).toThrow(
      expect.objectContaining({ code: "config_invalid", message }),
    );
  });
});
