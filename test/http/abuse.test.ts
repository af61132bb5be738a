// What must not work, tried on the real server: raw sockets where a client library would not send it.
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ReconcilerError } from "../../src/errors.ts";
import { type ServedShop, serveShop, token } from "./served-shop.ts";

let served: ServedShop;
let failed: unknown[] = [];
beforeAll(async () => {
  served = await serveShop({
    http: {
      limits: { requestsPerMinute: 1_000 },
      secrets: ["s3cret-of-the-warehouse"],
      onFailure: (thrown) => failed.push(thrown),
    },
  });
  await served.firstLook;
});
beforeEach(() => {
  failed = [];
});
afterAll(() => served.remove());

const pause = { all: true, actor: "ann", reason: "maintenance" };
const kept = () => served.app.context.ledger.decisions();

/** Sends the bytes as they are, and resolves with all that comes back until the server hangs up, whether it has read all or not. */
async function raw(...chunks: readonly string[]): Promise<string> {
  return rawTo(served.url, ...chunks);
}

async function rawTo(url: string, ...chunks: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
  const hungUp = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // A server that has read enough closes in the midst of what is sent: who sends it is told so by an error after the answer.
  socket.on("error", () => undefined);
  for (const chunk of chunks) socket.write(chunk);
  await hungUp;
  return answer;
}

const requestText = (line: string, headers: readonly string[] = [], body = "") =>
  [`${line} HTTP/1.1`, "host: localhost", "connection: close", ...headers, "", body].join("\r\n");

test.each([
  ["no token", {}],
  ["a wrong token", { authorization: "Bearer wrong" }],
  ["a token that begins right", { authorization: `Bearer ${token.slice(0, -1)}` }],
  ["a longer token", { authorization: `Bearer ${token}x` }],
  ["an empty token", { authorization: "Bearer " }],
  ["the token under another scheme", { authorization: `Basic ${token}` }],
  ["the token as a cookie", { cookie: `token=${token}` }],
])("%s is refused before anything is read", async (_what, headers) => {
  const answer = await served.post("/api/v1/pause", pause, headers);
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  expect(await answer.json()).toMatchObject({ code: "unauthorized" });
  expect(await kept()).toEqual([]);
});

test.each(["GET", "HEAD", "PUT", "DELETE", "PATCH"])("%s on an action changes nothing", async (method) => {
  const query = new URLSearchParams({ all: "true", actor: "ann", reason: "x" }).toString();
  const answer = await fetch(`${served.url}/api/v1/pause?${query}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe("POST");
  expect(await kept()).toEqual([]);
});

test("a huge body is refused, whether it is announced or not", async () => {
  const announced = await served.post("/api/v1/pause", { ...pause, reason: "x".repeat(100_000) });
  expect([announced.status, await announced.json()]).toMatchObject([413, { code: "request_too_large" }]);
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  const headers = [
    `authorization: Bearer ${token}`,
    "content-type: application/json",
    "transfer-encoding: chunked",
  ];
  const answer = await raw(requestText("POST /api/v1/pause", headers), chunk, chunk);
  expect(answer).toMatch(/^HTTP\/1.1 413 /);
});

test("a body and headers that do not come are not waited for", async () => {
  const headers = [
    `authorization: Bearer ${token}`,
    "content-type: application/json",
    "content-length: 1000",
  ];
  const hasty = await serveShop({ shop: served.shop, http: { limits: { requestMs: 1_000 } } });
  const [body, head] = await Promise.all([
    rawTo(hasty.url, requestText("POST /api/v1/pause", headers, '{"all":')),
    rawTo(hasty.url, "GET /api/v1/grid HTTP/1.1\r\nhost: localhost\r\nx-slow: "),
  ]);
  await hasty.stop();
  for (const answer of [body, head]) {
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('"code":"request_timeout"');
  }
});

test.each([
  "/../../../../etc/passwd",
  "/assets/../../../../etc/passwd",
  "/assets/..%2f..%2f..%2fpackage.json",
  "/assets/%2e%2e/%2e%2e/package.json",
  "/assets/..\\..\\package.json",
  "/assets/",
  "//etc/passwd",
  "/%00",
])("%s leads to no file", async (path) => {
  const answer = await raw(requestText(`GET ${path}`));
  expect(answer).toMatch(/^HTTP\/1.1 40[04] /);
  expect(answer).not.toMatch(/root:|"name": "gap-reconciler"/);
});

test.each([
  ["in a path", requestText("GET /api/v1/cells/a%0d%0aset-cookie:%20x=1/2024-01-03")],
  ["in an event id", requestText("GET /api/v1/nothing", ["last-event-id: a\rset-cookie: x=1"])],
  ["twice the length", requestText("POST /api/v1/pause", ["content-length: 2", "content-length: 40"], "{}")],
  [
    "length and chunks together",
    requestText("POST /api/v1/pause", ["content-length: 3", "transfer-encoding: chunked"], "0\r\n\r\n"),
  ],
])("a header that is smuggled %s is not taken for one", async (_where, request) => {
  const answer = await raw(request);
  expect(answer).toMatch(/^HTTP\/1.1 40[014] /);
  expect(answer.split("\r\n\r\n")[0]).not.toMatch(/^set-cookie/im);
});

test("more headers than any browser sends are refused", async () => {
  const answer = await raw(requestText("GET /", [`x-large: ${"x".repeat(20_000)}`]));
  expect(answer).toMatch(/^HTTP\/1.1 431 /);
});

test.each(["attacker.example", "127.0.0.1.attacker.example:80", "localhost.attacker.example", ""])(
  "a server on localhost does not answer to the name %j",
  async (host) => {
    const answer = await raw(`GET /api/v1/grid HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 421 /);
    expect(answer).not.toContain("orders");
  },
);

test("a form of another site cannot decide: a body that is no JSON is refused", async () => {
  const answer = await fetch(`${served.url}/api/v1/pause`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "text/plain" },
    body: JSON.stringify(pause),
  });
  expect([answer.status, await answer.json()]).toMatchObject([400, { code: "request_invalid" }]);
  const preflight = await fetch(`${served.url}/api/v1/pause`, {
    method: "OPTIONS",
    headers: { origin: "https://attacker.example", "access-control-request-method": "POST" },
  });
  expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
});

test.each(['{"__proto__":{"all":true}}', '{"all":true,"all":', "[]", "null", '"all"'])(
  "the body %s is refused",
  async (body) => {
    const answer = await fetch(`${served.url}/api/v1/retry`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body,
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: "request_invalid" }]);
  },
);

test("every answer tells browsers what it may do: no foreign or inline script, no frame, no guessing of types", async () => {
  for (const path of ["/", "/api/v1/grid", "/api/v1/nothing", "/metrics"]) {
    const { headers } = await served.get(path);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-powered-by")).toBeNull();
  }
});

test("a script in a waiver's reason is shown as text", async () => {
  const script = "<script>alert(1)</script>";
  const waiver = { processors: ["orders"], start_date: "2024-01-03", end_date: "2024-01-03" };
  const answer = await served.post("/api/v1/waivers", { ...waiver, actor: "ann", reason: script });
  expect(answer.status).toBe(200);
  await expect.poll(() => served.live.view().decisions).toHaveLength(1);
  for (const path of ["/", "/cells/orders/2024-01-03"]) {
    const page = await (await served.get(path)).text();
    expect(page, path).toContain("&lt;script&gt;alert(1)");
    expect(page, path).not.toContain(script);
  }
});

test("what fails inside is told to the log and not to the caller", async () => {
  const broken = await serveShop({
    shop: served.shop,
    http: {
      onFailure: (thrown) => failed.push(thrown),
      secrets: ["s3cret-of-the-warehouse"],
      explain: (_assessment, { name }) =>
        Promise.reject(
          name === "orders"
            ? new TypeError("cannot read /etc/secret of undefined")
            : new ReconcilerError("warehouse_unavailable", "s3cret-of-the-warehouse was refused"),
        ),
    },
  });
  await broken.firstLook;
  const bug = await broken.get("/api/v1/cells/orders/2024-01-03");
  const bugText = await bug.text();
  expect([bug.status, JSON.parse(bugText)]).toMatchObject([500, { code: "internal" }]);
  expect(bugText).not.toMatch(/secret|TypeError|\.ts/);
  const away = await broken.get("/api/v1/cells/revenue/2024-01-03");
  expect([away.status, await away.json()]).toMatchObject([
    503,
    { code: "warehouse_unavailable", detail: "*** was refused" },
  ]);
  expect(failed).toMatchObject([{ name: "TypeError" }, { code: "warehouse_unavailable" }]);
  await broken.stop();
});

test("who asks too often is told to wait, and probes still work", async () => {
  const busy = await serveShop({ shop: served.shop, http: { limits: { requestsPerMinute: 5 } } });
  for (let asked = 0; asked < 5; asked++) await (await busy.get("/api/v1/nothing")).text();
  const refused = await busy.get("/api/v1/grid");
  expect([refused.status, await refused.json()]).toMatchObject([429, { code: "rate_limited" }]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await busy.get("/healthz")).status).toBe(200);
  expect((await busy.get("/metrics")).status).toBe(200);
  await busy.stop();
});

test("who guesses tokens is told to wait, and has the right one refused as well", async () => {
  const guessed = await serveShop({ shop: served.shop });
  const guess = async (authorization: string) => {
    const answer = await guessed.post("/api/v1/pause", pause, { authorization });
    await answer.text();
    return answer.status;
  };
  const statuses: number[] = [];
  for (let asked = 0; asked < 61; asked++) statuses.push(await guess(`Bearer ${asked}`));
  expect(statuses).toEqual([...Array<number>(60).fill(401), 429]);
  expect(await guess(`Bearer ${token}`)).toBe(429);
  await guessed.stop();
});

test.each([
  ["/%", 400, "request_invalid"],
  ["/cells/%zz/2024-01-03", 400, "request_invalid"],
  [`/api/v1/cells/${"a".repeat(300)}/2024-01-03`, 404, "not_found"],
])("the address %s is answered with a problem document as any other", async (path, status, code) => {
  const answer = await raw(requestText(`GET ${path}`));
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toMatch(/^content-type: application\/problem\+json/im);
  expect(answer).toContain(`"code":"${code}"`);
});

test("the headers of the events alone, which never end, are not to be had", async () => {
  const answer = await raw(requestText("HEAD /api/v1/events"));
  expect(answer).toMatch(/^HTTP\/1.1 404 /);
});
