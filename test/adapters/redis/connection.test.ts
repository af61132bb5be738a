import { createServer } from "node:net";
import { once } from "node:events";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ConnectionPurpose,
  openConnection,
  type RedisConnection,
} from "../../../src/adapters/redis/connection.ts";
import { type RedisServer, redisServer, type RedisSettings } from "../../../src/adapters/redis/server.ts";
import { awakeTime } from "../../support/awake-time.ts";
import {
  patient,
  ready,
  type RedisProcess,
  settings,
  startRedis,
  startSentinel,
} from "../../support/redis.ts";
import { certificatePem, tlsOptions } from "../../support/redis-tls.ts";
import { soon } from "../../support/repairs.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

const password = "correct-horse-battery";

// The tests wait for time limits, so that they wait together; what they open is closed at the end of all.
const servers: RedisProcess[] = [];
const atEnd: (() => void)[] = [];

let plain: RedisProcess;
let guarded: RedisProcess;
let encrypted: RedisProcess;

beforeAll(async () => {
  [plain, guarded, encrypted] = await Promise.all([
    startRedis(),
    startRedis("--requirepass", password),
    startRedis(...tlsOptions),
  ]);
});

afterAll(async () => {
  for (const close of atEnd) close();
  await Promise.all([plain, guarded, encrypted, ...servers].map((server) => server.stop()));
});

function open(url: string, others: Partial<RedisSettings> = {}): RedisConnection {
  return opened(patient(redisServer(settings(url, others))), "commands");
}

/** With the time limits of its purpose. */
function openFor(purpose: ConnectionPurpose, url: string): RedisConnection {
  return opened(redisServer(settings(url)), purpose);
}

function opened(server: RedisServer, purpose: ConnectionPurpose): RedisConnection {
  const connection = openConnection(server, purpose);
  atEnd.push(() => connection.close());
  return connection;
}

/** What a call failed with, and how long that took. */
async function failureOf(call: Promise<unknown>): Promise<{ readonly error: unknown; readonly ms: number }> {
  const taken = awakeTime();
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, ms: taken() };
}

describe.concurrent("a connection", () => {
  test("uses the credentials and the database that it was given", async () => {
    const connection = open(`${guarded.url}/4`, { password });
    await ready(connection);
    const { client } = connection;
    await client.set("here", "1");
    expect(await client.info("keyspace")).toContain("db4:keys=1");
    const same = open(`redis://default:${password}@127.0.0.1:${guarded.port}/4`);
    await ready(same);
    expect(await same.client.get("here")).toBe("1");
  });

  test("says who is refused without naming the password, nor handing on the command that held it", async () => {
    const { error } = await failureOf(
      open(guarded.url, { username: "intruder", password: "tr0ub4dor" }).ready(),
    );
    expect(error).toMatchObject({
      code: "redis_credentials",
      message: `redis://127.0.0.1:${guarded.port}/0 refused the credentials: WRONGPASS invalid username-password pair or user is disabled.`,
    });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/tr0ub4dor|intruder/);
  });

  test("says that a password is missing", async () => {
    const { error } = await failureOf(open(guarded.url).ready());
    expect(error).toMatchObject({ code: "redis_credentials", message: expect.stringContaining("NOAUTH") });
  });

  test("says what a user may not do", async () => {
    await plain.command(
      "acl",
      "setuser",
      "reader",
      "on",
      ">looking-glass",
      "~*",
      "+@read",
      "+info",
      "+hello",
    );
    const connection = open(plain.url, { username: "reader", password: "looking-glass" });
    await ready(connection);
    const { error } = await failureOf(connection.client.set("a", "1"));
    expect(connection.failure(error)).toMatchObject({
      code: "redis_credentials",
      message: expect.stringContaining("NOPERM"),
    });
  });

  test("speaks TLS to a server whose authority it was given", async () => {
    const connection = open(`rediss://127.0.0.1:${encrypted.port}`, { ca: certificatePem });
    await ready(connection);
    expect(await connection.client.ping()).toBe("PONG");
  });

  test("refuses a certificate that nobody vouches for, and says what to do", async () => {
    const { error } = await failureOf(open(`rediss://127.0.0.1:${encrypted.port}`).ready());
    expect(error).toMatchObject({
      code: "redis_unavailable",
      message: expect.stringContaining("self-signed certificate"),
      hint: expect.stringContaining("redis.ca_file"),
    });
  });

  test("says that a server does not speak TLS, or that it may want it", async () => {
    const asked = await failureOf(open(`rediss://127.0.0.1:${plain.port}`).ready());
    expect(asked.error).toMatchObject({
      code: "redis_unavailable",
      hint: expect.stringContaining("speaks TLS on this port; if it does not, use redis://"),
    });
    const wanted = await failureOf(open(encrypted.url).ready());
    expect(wanted.error).toMatchObject({
      code: "redis_unavailable",
      hint: expect.stringContaining("if it expects TLS, use rediss://"),
    });
  });

  test("finds the primary of a Sentinel group, and says so where the Sentinels know none of that name", async () => {
    const sentinel = await startSentinel(plain);
    servers.push(sentinel);
    const of = (master: string): Partial<RedisSettings> => ({
      sentinel: { master, nodes: [`127.0.0.1:${sentinel.port}`], username: null, password: null },
    });
    const connection = open("redis://unused", of("main"));
    await ready(connection);
    expect(await connection.client.info("server")).toContain(`tcp_port:${plain.port}`);
    const { error } = await failureOf(open("redis://unused", of("other")).ready());
    expect(error).toMatchObject({
      code: "redis_unavailable",
      message: expect.stringContaining(`redis+sentinel://other@127.0.0.1:${sentinel.port}/0 cannot be used`),
    });
  });

  test("fails at once where nobody listens, and works without a new one when somebody does", async () => {
    const server = await startRedis();
    servers.push(server);
    await server.kill();
    const connection = openFor("commands", server.url);
    const { error, ms } = await failureOf(connection.ready());
    expect(error).toMatchObject({
      code: "redis_unavailable",
      message: `redis://127.0.0.1:${server.port}/0 cannot be used: connect ECONNREFUSED 127.0.0.1:${server.port}`,
    });
    expect(ms).toBeLessThan(3000);
    const refused = await failureOf(connection.client.ping());
    // Not what the library says then, that its stream is not writable.
    expect(connection.failure(refused.error).message).toContain("ECONNREFUSED");
    await server.restart();
    await soon(async () => expect(await connection.client.ping().catch(() => null)).toBe("PONG"));
  });

  test("gives up on a server that accepts and never answers", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    atEnd.push(() => void silent.close());
    const address = silent.address();
    const port = address === null || typeof address === "string" ? 0 : address.port;
    const connection = openFor("locks", `redis://127.0.0.1:${port}`);
    // Whoever asks again and again meanwhile leaves no listeners behind, of which Node would warn.
    const asked = Array.from({ length: 20 }, () => connection.ready());
    expect(connection.client.listenerCount("ready")).toBeLessThan(5);
    const { error, ms } = await failureOf(Promise.all(asked));
    expect(error).toMatchObject({ code: "redis_unavailable" });
    expect(ms).toBeLessThan(5000);
  });

  test("says of a server without memory what to do", async () => {
    const server = await startRedis("--maxmemory-policy", "noeviction");
    servers.push(server);
    const connection = open(server.url);
    await ready(connection);
    await server.command("config", "set", "maxmemory", "1");
    for (const write of [
      connection.client.set("key", "value"),
      connection.client.eval("return redis.call('set', KEYS[1], 'value')", 1, "key"),
    ]) {
      const { error } = await failureOf(write);
      expect(connection.failure(error)).toMatchObject({
        code: "redis_unavailable",
        hint: expect.stringContaining("maxmemory"),
      });
    }
  });

  test.each<[ConnectionPurpose, number]>([
    ["locks", 3000],
    ["commands", 6000],
  ])("for %s bounds every call to a server that hangs", async (purpose, limitMs) => {
    const server = await startRedis();
    servers.push(server);
    const connection = openFor(purpose, server.url);
    await ready(connection);
    server.pause();
    const { error, ms } = await failureOf(connection.client.ping());
    expect(connection.failure(error)).toMatchObject({
      code: "redis_unavailable",
      message: expect.stringContaining("Command timed out"),
    });
    expect(ms).toBeLessThan(limitMs);
  });

  test.each<ConnectionPurpose>(["locks", "commands", "blocking"])(
    "for %s leaves a server that has become a replica for the one that its name leads to by now",
    async (purpose) => {
      const [before, after] = await Promise.all([startRedis(), startRedis()]);
      servers.push(before, after);
      const proxy = await startTcpProxy(before.port);
      atEnd.push(() => proxy.close());
      const server = redisServer(settings(`redis://127.0.0.1:${proxy.port}`));
      const connection = opened(purpose === "blocking" ? server : patient(server), purpose);
      const { client } = connection;
      await ready(connection);
      await client.set("key", "before");
      await before.command("replicaof", "127.0.0.1", after.port);
      proxy.redirect(after.port);
      const write = "return redis.call('set', KEYS[1], 'after')";
      const written = () => client.eval(write, 1, "key").catch(() => null);
      await soon(async () => expect(await written()).toBe("OK"));
      expect(await after.command("get", "key")).toBe("after");
    },
  );

  test("that blocks waits on the server for longer than a command may take", async () => {
    const connection = openFor("blocking", plain.url);
    await ready(connection);
    expect(await connection.client.blpop("nothing", 2.2)).toBeNull();
  });

  test("that was closed says so", async () => {
    const connection = open(plain.url);
    await ready(connection);
    const ended = once(connection.client, "end");
    connection.close();
    connection.close();
    const { error } = await failureOf(connection.client.ping());
    expect(connection.failure(error).message).toContain("the connection was closed");
    await ended;
    expect(await failureOf(connection.ready())).toMatchObject({ error: { code: "redis_unavailable" } });
  });
});
