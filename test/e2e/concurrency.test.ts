// Goal: runs and looks at the same time on the same files never do work twice, never spoil each other, and say who is waited
// for. Method: the shipped command line as several processes, held at known moments by the repairs that they run.
import { describe, expect, it, vi } from "vitest";
import {
  cellsOf,
  elevenGaps,
  expectNobodyLeft,
  type FillSketch,
  until,
  untilLogged,
  withFillScene,
} from "./fill-scene.ts";
import { datesFrom, documentOf, sqlCalendar, withScene } from "./scene.ts";

const sketch: FillSketch = { ...elevenGaps, repair: "backoff: [10ms], max_dates_per_job: 2" };
const timeoutMs = 180_000;
// What they wait for, others use.
vi.setConfig({ maxConcurrency: 3 });

describe.concurrent("a look while a run repairs", () => {
  // It waits longer than all others take, so that they run meanwhile.
  it(
    "says which process has the warehouse file where a repair keeps it open",
    () =>
      withFillScene(sketch, async (scene) => {
        scene.ask("hold-open");
        const run = scene.start("--once");
        const { pid } = await untilLogged(scene, "hold-open");
        const looks = [["status"], ["explain", "points", "2024-01-03"]];
        const refusals = await Promise.all(looks.map((look) => scene.run(...look, "--format", "json")));
        for (const refused of refusals) {
          expect(refused.code).toBe(1);
          expect(refused.json()).toMatchObject({
            error: {
              code: "warehouse_locked",
              message: expect.stringContaining(`locked by process ${pid} `) as string,
              hint: expect.any(String) as string,
            },
          });
        }
        const patient = scene.run("status");
        scene.release("hold-open");
        expect(await patient).toMatchObject({ code: 0 });
        expect(await run.ended).toMatchObject({ code: 0 });
        await expectNobodyLeft(scene);
      }),
    timeoutMs,
  );

  it(
    "answers, and shows what is being repaired",
    () =>
      withFillScene(sketch, async (scene) => {
        scene.ask("hold");
        const run = scene.start("--once");
        const { cell } = await untilLogged(scene, "hold");
        const [table = "", date = ""] = cell.split(" ");
        const processor = table.replace("league.", "");
        const status = await scene.report("status");
        expect(status.code).toBe(0);
        expect(status.document.gaps).toContainEqual(
          expect.objectContaining({ processor, date, disposition: "running" }),
        );
        const plan = await scene.report("plan");
        expect(plan.code).toBe(2);
        const explained = await scene.run("explain", processor, date, "--format", "json");
        expect(explained).toMatchObject({ code: 0 });
        expect(explained.json()).toMatchObject({ processor, date, disposition: "running" });
        scene.release("hold");
        expect(await run.ended).toMatchObject({ code: 0 });
        expect(await scene.filled()).toEqual(cellsOf(elevenGaps));
      }),
    timeoutMs,
  );

  it(
    "keeps no SQL repair from its work, however many look at once",
    () =>
      withScene(
        {
          pipeline: `schedule: { table: games, date_column: day }
processors:
  points:
    table: points
    date_column: day
    repair: { sql_file: points.sql, max_dates_per_job: 2, max_attempts: 1 }
`,
          files: {
            "points.sql": "select day, 1 as number from games where day between $start_date and $end_date",
          },
          warehouse: [
            `create table games as select game_date as day from (${sqlCalendar(["2024-01-01", "2024-01-20"])})`,
            "create table points (day date, number integer)",
          ],
        },
        async (scene) => {
          const run = scene.report("--once");
          const looks = await Promise.all([1, 2, 3, 4].map(() => scene.report("status")));
          expect(looks.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
          expect((await run).document).toMatchObject({ converged: true });
          expect(await scene.warehouse.read("select count(*), count(distinct day) from points")).toEqual([
            [String(datesFrom("2024-01-01", "2024-01-20").length), "20"],
          ]);
        },
      ),
    timeoutMs,
  );
});

describe.concurrent("two runs on one ledger", () => {
  it(
    "do nothing twice: the second waits, says for whom, and finds everything done",
    () =>
      withFillScene(sketch, async (scene) => {
        scene.ask("hold");
        const first = scene.start("--once", "--format", "json");
        await untilLogged(scene, "hold");
        const second = scene.start("--once", "--format", "json", "--max-wait", "10m");
        let said = "";
        second.child.stderr?.on("data", (chunk: Buffer) => {
          said += chunk.toString();
        });
        const waiting = `"reason":"another run repairs on this ledger since `;
        await until("the second run to wait", () => said.includes(waiting));
        expect(said).toContain(`locked by process ${first.child.pid} `);
        scene.release("hold");
        const [one, two] = [documentOf(await first.ended), documentOf(await second.ended)];
        expect([one.converged, two.converged]).toEqual([true, true]);
        expect(one.repairs).not.toEqual([]);
        expect(two.repairs).toEqual([]);
        expect(await scene.filled()).toEqual(cellsOf(elevenGaps));
      }),
    timeoutMs,
  );

  it(
    "the second one gives up when its wait is over, with the process that it waited for",
    () =>
      withFillScene(sketch, async (scene) => {
        scene.ask("hold");
        const first = scene.start("--once");
        await untilLogged(scene, "hold");
        for (const wait of ["0s", "300ms"]) {
          const refused = await scene.run("--once", "--max-wait", wait, "--format", "json");
          expect(refused.code).toBe(1);
          expect(refused.json()).toMatchObject({
            error: {
              code: "run_in_progress",
              message: expect.stringContaining(`locked by process ${first.child.pid} `) as string,
              hint: expect.any(String) as string,
              path: expect.stringMatching(/\.lock$/) as string,
            },
          });
        }
        scene.release("hold");
        expect(await first.ended).toMatchObject({ code: 0 });
        expect(await scene.filled()).toEqual(cellsOf(elevenGaps));
      }),
    timeoutMs,
  );

  it(
    "started in the same moment take turns, as many as there are",
    () =>
      withFillScene(sketch, async (scene) => {
        const runs = await Promise.all([1, 2, 3].map(() => scene.report("--once")));
        expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
        expect(runs.filter(({ document }) => document.repairs.length > 0)).toHaveLength(1);
        expect(await scene.filled()).toEqual(cellsOf(elevenGaps));
      }),
    timeoutMs,
  );
});

describe.concurrent("commands and statements of one run", () => {
  it(
    "never wait for each other once they count as started",
    () =>
      withScene(
        {
          pipeline: `schedule: { table: games, date_column: day }
processors:
  loads:
    table: loads
    date_column: day
    repair: { command: [sleep, "0.5"], max_dates_per_job: 1, max_attempts: 1 }
  points:
    table: points
    date_column: day
    repair: { sql_file: points.sql, max_dates_per_job: 1, max_attempts: 1 }
`,
          files: {
            "points.sql": "select day, 1 as number from games where day between $start_date and $end_date",
          },
          warehouse: [
            `create table games as select game_date as day from (${sqlCalendar(["2024-01-01", "2024-01-03"])})`,
            "create table loads (day date, number integer)",
            "create table points (day date, number integer)",
          ],
        },
        async (scene) => {
          const { code, document } = await scene.report("--once");
          expect(code).toBe(2);
          expect(document.counts).toMatchObject({ loads: { missing: 3 }, points: { complete: 3 } });
          const overlaps = `
            select command.repair_id, other.repair_id
            from repair_ends command
            join repair_ends other
              on other.repair_id <> command.repair_id
              and other.started_at < command.ended_at and command.started_at < other.ended_at
            where command.repair = 'loads'`;
          expect(await scene.ledger(overlaps)).toEqual([]);
        },
      ),
    timeoutMs,
  );
});
