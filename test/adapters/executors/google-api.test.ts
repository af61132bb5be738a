import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { googleApi, googleAuthorization } from "../../../src/adapters/executors/google-api.ts";
import { realClock } from "./fixtures.ts";

// Goal: calls carry Application Default Credentials, and what is wrong with them is told as what it is. Method: a metadata
// server, as every pod with Workload Identity has one.

const options = { secrets: [], clock: realClock };
let folder = "";
let server: Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "google-"));
  server = createServer((request, response) => {
    response.writeHead(200, { "metadata-flavor": "Google", "content-type": "application/json" });
    const token = { access_token: "ya29.token", expires_in: 3600, token_type: "Bearer" };
    response.end(request.url?.includes("/token") === true ? JSON.stringify(token) : "p");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
afterEach(() => vi.unstubAllEnvs());

it("no credentials are sent over plain http", async () => {
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", join(folder, "none.json"));
  expect(await googleApi("http://127.0.0.1:1", options).authorize()).toEqual({});
});

it("credentials that are not there are told as such, for all dates, and found once they are", async () => {
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", join(folder, "none.json"));
  await expect(googleAuthorization()).rejects.toMatchObject({
    failure: { classification: "systemic", systemic: "authentication", errorCode: "google_credentials" },
    message: expect.stringContaining("expected Application Default Credentials") as string,
    mayHaveHappened: false,
  });
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", undefined);
  vi.stubEnv("CLOUDSDK_CONFIG", folder);
  vi.stubEnv("GCE_METADATA_HOST", `127.0.0.1:${(server.address() as AddressInfo).port}`);
  const headers = await googleApi("https://run.googleapis.com/v2", options).authorize();
  expect(headers).toMatchObject({ authorization: "Bearer ya29.token" });
});
