import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createExecutors } from "../../../src/adapters/executors/index.ts";
import type { HttpPoll } from "../../../src/core/repair-action.ts";
import { awakeTime } from "../../support/awake-time.ts";
import { freePort } from "../../support/free-port.ts";
import { httpAction, idleWarehouse, realClock, requestFor } from "./fixtures.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server;
let handler: Handler;
let base: string;
beforeEach(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => handler(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const executors = createExecutors({
  warehouse: idleWarehouse,
  secrets: ["s3cret-token"],
  clock: realClock,
});

function answering(status: number, headers: Record<string, string> = {}, body = ""): Handler {
  return (_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

describe("the http executor", () => {
  it("sends what the action says and what lets the other side know a repeated request", async () => {
    let seen: unknown = null;
    handler = (request, response, body) => {
      seen = { method: request.method, url: request.url, headers: request.headers, body };
      response.end("ok");
    };
    const action = httpAction(`${base}/fill?from={{start_date}}`, {
      method: "PUT",
      headers: { Authorization: "Bearer s3cret-token", "X-Season": "{{season}}" },
      body: '{"to": "{{end_date}}"}',
    });
    const result = await executors.run(requestFor(action));
    expect(result).toEqual({ kind: "succeeded", logTail: "ok" });
    expect(seen).toMatchObject({
      method: "PUT",
      url: "/fill?from=2024-01-30",
      body: '{"to": "2024-02-01"}',
      headers: {
        authorization: "Bearer s3cret-token",
        "x-season": "2023-24",
        "content-type": "application/json",
        "idempotency-key": "repair-1",
        "x-gap-reconciler-fencing-token": "1700000000000001",
      },
    });
  });

  it.each([
    [200, [], "succeeded"],
    [204, [], "succeeded"],
    [202, [], "accepted"],
    [200, [200], "accepted"],
    [409, [409], "accepted"],
  ])("reads status %i with accepted statuses %j as %s", async (status, acceptedStatuses, kind) => {
    handler = answering(status);
    expect(await executors.run(requestFor(httpAction(base, { acceptedStatuses })))).toMatchObject({
      kind,
    });
  });

  it.each([
    [{ location: "/runs/7" }, '{"id": "x"}', "/runs/7"],
    [{}, '{"id": 7}', "7"],
    [{}, "no json", null],
  ])("finds the handle of an accepted run in headers %j and body %s", async (headers, body, handle) => {
    handler = answering(202, headers, body);
    expect(await executors.run(requestFor(httpAction(base)))).toMatchObject({
      kind: "accepted",
      handle,
    });
  });

  it.each([
    ["60", 60_000],
    ["999999999", 3_600_000],
    ["Wed, 21 Oct 2015 07:28:00 GMT", 0],
    ["soon", null],
  ])("reads Retry-After: %s as %j ms", async (text, retryAfterMs) => {
    handler = answering(429, { "retry-after": text });
    expect(await executors.run(requestFor(httpAction(base)))).toMatchObject({
      kind: "failed",
      classification: "retryable",
      errorCode: "http_429",
      retryAfterMs,
    });
  });

  it("reads a date in Retry-After by its own clock", async () => {
    const clock = { ...realClock, now: () => Date.parse("2024-01-01T00:00:00Z") };
    handler = answering(503, { "retry-after": "Mon, 01 Jan 2024 00:01:30 GMT" });
    const result = await createExecutors({ warehouse: idleWarehouse, secrets: [], clock }).run(
      requestFor(httpAction(base)),
    );
    expect(result).toMatchObject({ errorCode: "http_503", retryAfterMs: 90_000 });
  });

  it.each([
    [301, "permanent", null],
    [307, "permanent", null],
    [400, "permanent", null],
    [401, "systemic", "authentication"],
    [403, "systemic", "authentication"],
    [404, "permanent", null],
    [408, "retryable", null],
    [409, "retryable", null],
    [422, "permanent", null],
    [425, "retryable", null],
    [429, "retryable", null],
    [500, "retryable", null],
    [503, "retryable", null],
  ])("reads status %i as %s", async (status, classification, systemic) => {
    handler = answering(status, { location: "http://elsewhere.invalid/" });
    expect(await executors.run(requestFor(httpAction(base)))).toMatchObject({
      kind: "failed",
      classification,
      systemic,
      errorCode: `http_${status}`,
    });
  });

  it("does not follow a redirect, so that no credentials go elsewhere", async () => {
    let requests = 0;
    handler = (_request, response) => {
      requests += 1;
      response.writeHead(302, { location: `${base}/other` });
      response.end();
    };
    const result = await executors.run(requestFor(httpAction(base)));
    expect(requests).toBe(1);
    expect(result).toHaveProperty("message", expect.stringContaining(`a redirect to ${base}/other`));
  });

  it("reads a name that does not resolve and a port where nobody listens as a fault of the system", async () => {
    for (const url of [`http://127.0.0.1:${await freePort()}`, "http://no-such-host.invalid/"]) {
      const result = await executors.run(requestFor(httpAction(url)));
      expect(result).toMatchObject({
        kind: "failed",
        classification: "systemic",
        systemic: "connection_refused",
      });
    }
  });

  it("reads a server without trusted TLS as a fault of the system", async () => {
    const result = await executors.run(requestFor(httpAction(base.replace("http:", "https:"))));
    expect(result).toMatchObject({
      kind: "failed",
      classification: "systemic",
      systemic: "authentication",
      errorCode: "tls_failed",
    });
  });

  it.each(["not a url", "ftp://host/x"])("reads the URL %s as permanent", async (url) => {
    const result = await executors.run(requestFor(httpAction(url)));
    expect(result).toMatchObject({
      kind: "failed",
      classification: "permanent",
      errorCode: "invalid_request",
    });
  });

  it("reads a header that cannot be sent as permanent and does not show its secret", async () => {
    const result = await executors.run(
      requestFor(httpAction(base, { headers: { "x-key": "s3cret-token\n" } })),
    );
    expect(result).toMatchObject({ classification: "permanent", errorCode: "invalid_request" });
    expect(JSON.stringify(result)).not.toContain("s3cret-token");
  });

  it("keeps the end of a long answer, redacted", async () => {
    handler = answering(500, {}, `${"z".repeat(300_000)} token s3cret-token refused`);
    const result = await executors.run(requestFor(httpAction(base)));
    expect(result.logTail).toMatch(/^z+ token \*\*\* refused$/);
    expect(Buffer.byteLength(result.logTail ?? "")).toBe(4096);
  });

  it("shows no credentials of its own URL", async () => {
    handler = answering(404);
    const url = `${base.replace("http://", "http://me:hunter2@")}/?key=s3cret-token`;
    const result = await executors.run(requestFor(httpAction(url)));
    expect(JSON.stringify(result)).not.toMatch(/hunter2|s3cret-token/);
  });

  it("stops waiting at the time limit for a body that never ends", async () => {
    handler = (_request, response) => {
      response.write("drip");
      const timer = setInterval(() => response.write("drip"), 20);
      response.on("close", () => clearInterval(timer));
    };
    const ended = awakeTime();
    const result = await executors.run(requestFor(httpAction(base), { timeoutMs: 1_500 }));
    expect(result).toMatchObject({
      kind: "timed_out",
      logTail: expect.stringContaining("drip") as string,
    });
    expect(ended()).toBeLessThan(5_000);
  });
});

describe("polling", () => {
  const poll: HttpPoll = {
    url: "",
    intervalMs: 10,
    statusField: "run.state",
    succeeded: ["done"],
    failed: ["broken"],
  };

  /** Answers the start with an id and each question with the next of the states. */
  function run(
    states: readonly (string | Handler)[],
    id: unknown = "a/b+1",
    startStatus = 202,
  ): { readonly asked: string[] } {
    const asked: string[] = [];
    handler = (request, response, body) => {
      if (request.method === "POST") {
        response.writeHead(startStatus);
        response.end(JSON.stringify({ run: { id }, link: `${base}/status`, relative: "/status?x=1" }));
        return;
      }
      asked.push(request.url ?? "");
      const state = states[Math.min(asked.length, states.length) - 1] ?? "";
      if (typeof state === "function") state(request, response, body);
      else response.end(JSON.stringify({ run: { state } }));
    };
    return { asked };
  }

  function actionWith(url: string): ReturnType<typeof httpAction> {
    return httpAction(`${base}/start`, { poll: { ...poll, url } });
  }

  it("asks until the run succeeded, with the fields of the first answer in the URL", async () => {
    const { asked } = run(["waiting", "running", "done"]);
    const result = await executors.run(requestFor(actionWith(`${base}/runs/{{response.run.id}}`)));
    expect(result).toEqual({ kind: "succeeded", logTail: '{"run":{"state":"done"}}' });
    expect(asked).toEqual(Array.from({ length: 3 }, () => "/runs/a%2Fb%2B1"));
  });

  it("asks for runs that are answered with 200 too", async () => {
    const { asked } = run(["waiting", "done"], 1, 200);
    const result = await executors.run(requestFor(actionWith(`${base}/runs/{{response.run.id}}`)));
    expect(result.kind).toBe("succeeded");
    expect(asked).toHaveLength(2);
  });

  it("says that the run failed over there", async () => {
    run(["waiting", "broken"]);
    const result = await executors.run(requestFor(actionWith(`${base}/runs/1`)));
    expect(result).toMatchObject({
      kind: "failed",
      classification: "retryable",
      errorCode: "run_failed",
    });
  });

  it("asks again where a question fails for a passing reason", async () => {
    run([
      answering(503),
      answering(200, {}, "<html>"),
      answering(429, { "retry-after": "0" }),
      (request) => request.socket.destroy(),
      "done",
    ]);
    expect((await executors.run(requestFor(actionWith(`${base}/runs/1`)))).kind).toBe("succeeded");
  });

  it.each([
    [401, "systemic"],
    [404, "permanent"],
  ])("ends where a question is answered with %i", async (status, classification) => {
    run([answering(status)]);
    expect(await executors.run(requestFor(actionWith(`${base}/runs/1`)))).toMatchObject({
      kind: "failed",
      classification,
    });
  });

  it("times out with the state that it found last", async () => {
    run(["waiting"]);
    const result = await executors.run(requestFor(actionWith(`${base}/runs/1`), { timeoutMs: 1500 }));
    expect(result).toMatchObject({
      kind: "timed_out",
      message: expect.stringContaining("found last: waiting") as string,
    });
  });

  it("is cancelled by the signal between two questions", async () => {
    const controller = new AbortController();
    run(["waiting", () => controller.abort()]);
    const result = await executors.run(
      requestFor(actionWith(`${base}/runs/1`), { signal: controller.signal }),
    );
    expect(result.kind).toBe("cancelled");
  });

  it.each(["link", "relative"])("takes a whole URL of the same server from the field %s", async (field) => {
    const { asked } = run(["done"]);
    const result = await executors.run(requestFor(actionWith(`{{response.${field}}}`)));
    expect(result.kind).toBe("succeeded");
    expect(asked[0]).toMatch(/^\/status/);
  });

  it("does not carry credentials to another server that an answer names", async () => {
    run(["done"], "http://elsewhere.invalid/steal");
    const result = await executors.run(requestFor(actionWith("{{response.run.id}}")));
    expect(result).toMatchObject({ classification: "permanent", errorCode: "poll_other_host" });
  });

  it("says which field of the answer is missing", async () => {
    run(["done"]);
    const result = await executors.run(requestFor(actionWith(`${base}/{{response.job.name}}`)));
    expect(result).toMatchObject({
      classification: "permanent",
      errorCode: "poll_field_missing",
      message: expect.stringContaining("response.job.name") as string,
    });
  });
});
