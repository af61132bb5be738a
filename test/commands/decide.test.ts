import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDuckDbLedger } from "../../src/adapters/duckdb/ledger.ts";
import { join } from "node:path";
import type { Decision } from "../../src/core/ledger-records.ts";
import { makeShop, type Shop } from "./in-process.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await makeShop();
});
afterEach(() => shop.warehouse.remove());

async function recorded(): Promise<readonly Decision[]> {
  const ledger = createDuckDbLedger({ path: join(shop.folder, "warehouse.ledger.duckdb") });
  try {
    return (await ledger.read(Date.now())).decisions;
  } finally {
    await ledger.close();
  }
}

const pause = [
  "pause",
  "--processor",
  "orders",
  "--start-date",
  "2024-01-03",
  "--end-date",
  "2024-01-03",
  "--reason",
  "night",
];

describe("a decision on the command line", () => {
  test("shows what it would do, is kept with actor and reason, and takes effect", async () => {
    const { stdout, code } = await shop.run([...pause, "--yes"]);
    expect(stdout).toMatch(
      /^pause 1 cell: no repair of these cells starts until resume.*\n {2}orders: 2024-01-03\nrecorded: \S+ ann pause orders 2024-01-03: night\n$/s,
    );
    expect(code).toBe(0);
    expect(await recorded()).toMatchObject([
      {
        kind: "pause",
        actor: "ann",
        reason: "night",
        processors: ["orders"],
        startDate: "2024-01-03",
        endDate: "2024-01-03",
        waiver: null,
      },
    ]);
    const status = await shop.run(["status"]);
    expect(status.stdout).toContain("held: paused by a person");
    expect((await shop.run(["resume", "--all", "--yes"])).stdout).toContain(
      "resume 1 cell: repairs of these cells go on",
    );
    expect((await shop.run(["status"])).stdout).not.toContain("paused by a person");
  });

  test("asks on a terminal and records nothing where the answer is not yes", async () => {
    const refused = await shop.run(pause, { answer: "n" });
    expect(refused.stderr).toContain("record it? [y/N]");
    expect(refused.stderr).toContain("nothing was recorded\n");
    expect(refused.code).toBe(1);
    expect(await recorded()).toEqual([]);
    const agreed = await shop.run(pause, { answer: "y" });
    expect(agreed).toMatchObject({ code: 0, stdout: expect.stringContaining("recorded: ") });
    expect(await recorded()).toHaveLength(1);
  });

  test("takes a terminal that hangs up for a no", async () => {
    const refused = await shop.run(pause, { answer: null });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing was recorded\n") });
    expect(await recorded()).toEqual([]);
  });

  test("without a terminal and without --yes is an error, and nothing is recorded", async () => {
    await expect(shop.run(pause)).rejects.toMatchObject({
      code: "usage",
      hint: expect.stringContaining("--yes"),
    });
    expect(await recorded()).toEqual([]);
  });

  test("prints the decision as JSON and nothing else on stdout", async () => {
    const { stdout } = await shop.run([...pause, "--yes", "--format", "json", "--actor", "bob"]);
    expect(JSON.parse(stdout)).toMatchObject({
      schema_version: 1,
      decision: { kind: "pause", actor: "bob", reason: "night", start_date: "2024-01-03" },
      touched: [{ processor: "orders", dates: ["2024-01-03"] }],
    });
  });

  test("asked for as JSON on a terminal shows what it would do beside stdout", async () => {
    const { stdout, stderr } = await shop.run([...pause, "--format", "json"], { answer: "yes" });
    expect(stderr).toContain("pause 1 cell");
    expect(JSON.parse(stdout)).toMatchObject({ decision: { kind: "pause" } });
  });

  test("a waiver has owner, expiry and what becomes of dependents, and exempts the gap", async () => {
    const range = ["--start-date", "2024-01-03", "--end-date", "2024-01-03"];
    await shop.run([
      "waive",
      "--processor",
      "orders",
      ...range,
      "--reason",
      "fire",
      "--owner",
      "data-team",
      "--expires",
      "2099-12-31",
      "--downstream",
      "exempt",
      "--yes",
    ]);
    expect(await recorded()).toMatchObject([
      { kind: "waive", waiver: { owner: "data-team", expires: "2099-12-31", downstream: "exempt" } },
    ]);
    const status = await shop.run(["status"]);
    expect(status.stdout).toContain("exempt: 1 waived, 1 an upstream is exempt");
    expect(status.stdout).toMatch(/\nconverged /);
    await shop.run(["unwaive", "--processor", "orders", "--yes"]);
    expect((await shop.run(["status"])).stdout).toContain("2 gaps: ");
  });

  test("a waiver without processors names those there are, so that a later one is not waived with them", async () => {
    await shop.run([
      "waive",
      "--start-date",
      "2024-01-03",
      "--end-date",
      "2024-01-03",
      "--reason",
      "fire",
      "--yes",
    ]);
    expect((await recorded())[0]?.processors).toEqual(["orders", "revenue"]);
  });

  test.each([
    ["no selection", ["retry", "--yes"], "expected a selection of what to retry"],
    ["both --all and a selection", ["retry", "--all", "--processor", "orders", "--yes"], "found both"],
    ["no reason", ["pause", "--all", "--yes"], "--reason"],
    ["an empty reason", ["pause", "--all", "--reason", " ", "--yes"], "after --reason"],
    ["a processor that there is not", ["retry", "--processor", "order", "--yes"], 'no processor "order"'],
    ["nothing to do", ["retry", "--all", "--yes"], "nothing to retry"],
    [
      "a waiver without an end",
      ["waive", "--processor", "orders", "--start-date", "2024-01-03", "--reason", "x", "--yes"],
      "a last date",
    ],
    [
      "dates for what has none",
      ["release", "--start-date", "2024-01-03", "--reason", "x", "--yes"],
      "found dates",
    ],
  ])("refuses %s", async (_name, args, message) => {
    await expect(shop.run(args)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(message),
    });
    expect(await recorded()).toEqual([]);
  });
});
