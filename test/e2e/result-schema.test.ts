import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { resultJsonSchema } from "../../scripts/result-schema.ts";
import { reconcile } from "../support/cli.ts";

const why = ["--reason", "the till was closed", "--yes"] as const;
vi.setConfig({ testTimeout: 180_000 });

const schemaFile = new URL("../../schema/result.schema.json", import.meta.url);
let folder: string;
let schema: z.ZodType;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gap-reconciler-schema-"));
  await cp(new URL("../../examples/minimal/", import.meta.url), folder, { recursive: true });
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(join(folder, "warehouse.duckdb"));
  const connection = await instance.connect();
  await connection.run(await readFile(join(folder, "setup.sql"), "utf8"));
  connection.closeSync();
  instance.closeSync();
  const written: Parameters<typeof z.fromJSONSchema>[0] = JSON.parse(await readFile(schemaFile, "utf8"));
  schema = z.fromJSONSchema(written);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the schema in the repository is the one that is made: `npm run schema` writes it", async () => {
  expect(JSON.parse(await readFile(schemaFile, "utf8"))).toEqual(
    JSON.parse(JSON.stringify(resultJsonSchema())),
  );
});

test("what each command prints fits the schema", async () => {
  for (const [args, code] of [
    [["validate", "--connect"], 0],
    [["plan"], 2],
    [["waive", "--processor", "orders", "--start-date", "2024-01-09", "--end-date", "2024-01-09", ...why], 0],
    [["--once"], 0],
    [["explain", "revenue", "2024-01-10"], 0],
    [["status", "--since", "1h"], 0],
    [["report"], 0],
  ] as const) {
    const result = await reconcile([...args, "--format", "json"], { cwd: folder });
    expect(result.code, result.stderr).toBe(code);
    expect(schema.safeParse(result.json()).error, args.join(" ")).toBeUndefined();
  }
});

test("what an error prints fits the schema, and a changed document does not", async () => {
  await writeFile(join(folder, "empty.yaml"), "");
  const result = await reconcile(["status", "--config", "empty.yaml", "--format", "json"], { cwd: folder });
  expect(result.code).toBe(1);
  expect(schema.safeParse(result.json()).error).toBeUndefined();
  expect(schema.safeParse({ error: { message: "" } }).success).toBe(false);
});
