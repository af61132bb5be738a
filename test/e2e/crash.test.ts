// Goal: wherever a run is killed, the next one takes over, repairs nothing twice and leaves nobody behind. Method: the shipped
// command line as a process, killed with SIGKILL at random moments and, by the repairs themselves, at named ones; what
// was repaired is read from the records of the repairs, not from what the product says.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { openDatabase } from "../../src/adapters/duckdb/database.ts";
import {
  cellsOf,
  elevenGaps,
  expectNobodyLeft,
  expectReadableLedger,
  type FillScene,
  until,
  untilLogged,
  withFillScene,
} from "./fill-scene.ts";
import { startReconcile } from "../support/cli.ts";
import { datesFrom, gapsOf, sqlCalendar, withScene } from "./scene.ts";

const sketch = { ...elevenGaps, repair: "max_attempts: 20, backoff: [10ms], max_dates_per_job: 3" };
const timeoutMs = 180_000;
// What they wait for, others use.
vi.setConfig({ maxConcurrency: 3 });

/** Numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Runs once more, to its end, and tells what came of all the runs together. */
async function runOn(scene: FillScene) {
  const last = await scene.report("--once");
  const unended =
    "select repair_id from repair_starts where repair_id not in (select repair_id from repair_ends)";
  await expectNobodyLeft(scene);
  return {
    code: last.code,
    gaps: gapsOf(last.document),
    filled: await scene.filled(),
    unended: await scene.ledger(unended),
  };
}

/** Every gap was filled once, and nothing that was whole was touched. */
const allDoneOnce = { code: 0, gaps: [], filled: cellsOf(elevenGaps), unended: [] };

describe.concurrent("a run that is killed at a random moment", () => {
  it.each([1, 2, 3])(
    "is taken over by the next one, whatever the moment (seed %i)",
    (seed) =>
      withFillScene(sketch, async (scene) => {
        const random = randomOf(seed);
        for (let round = 0; round < 2; round += 1) {
          const { child, ended } = scene.start("--once");
          await sleep(100 + Math.floor(1500 * random()));
          child.kill("SIGKILL");
          await ended;
          await expectReadableLedger(scene);
        }
        expect(await runOn(scene)).toEqual(allDoneOnce);
      }),
    timeoutMs,
  );
});

describe.concurrent("a run that is killed while it writes the warehouse itself", () => {
  const days = datesFrom("2024-01-01", "2024-01-12");
  const rowsPerDay = 20_000;
  it.each([1, 2])(
    "leaves whole dates or none, and no date is written twice (seed %i)",
    (seed) =>
      withScene(
        {
          pipeline: `schedule: { table: games, date_column: day }
processors:
  points:
    table: points
    date_column: day
    repair: { sql_file: points.sql, max_dates_per_job: 1, max_attempts: 20, backoff: [10ms] }
`,
          files: {
            "points.sql": `select day, number, md5(number::varchar) as text
from games, range(${rowsPerDay}) as rows (number)
where day between $start_date and $end_date`,
          },
          warehouse: [
            `create table games as select game_date as day from (${sqlCalendar(["2024-01-01", "2024-01-12"])})`,
            "create table points (day date, number integer, text varchar)",
          ],
        },
        async (scene) => {
          const random = randomOf(seed);
          const partial = `select day, count(*) from points group by day having count(*) <> ${rowsPerDay}`;
          for (let round = 0; round < 3; round += 1) {
            const { child, ended } = startReconcile(["--once"], { cwd: scene.folder });
            await sleep(300 + Math.floor(1000 * random()));
            child.kill("SIGKILL");
            await ended;
            expect(await scene.warehouse.read(partial)).toEqual([]);
          }
          expect(await scene.report("--once")).toMatchObject({ code: 0, document: { gaps: [] } });
          expect(
            await scene.warehouse.read("select count(*), count(distinct (day, number)) from points"),
          ).toEqual([[String(days.length * rowsPerDay), String(days.length * rowsPerDay)]]);
          const repaired = "select date::varchar from cell_outcomes where outcome = 'repaired' order by all";
          expect((await scene.ledger(repaired)).flat()).toEqual(days);
        },
      ),
    timeoutMs,
  );
});

describe.concurrent("a run that is killed", () => {
  it(
    "as soon as it has the lock leaves it free for the next one",
    () =>
      withFillScene(sketch, async (scene) => {
        // However late this process sees the note: that run is not over by then.
        scene.ask("hold");
        const { child, ended } = scene.start("--once");
        const note = join(scene.folder, "warehouse.ledger.duckdb.lock.holder");
        await until("the note of the lock's holder", () => existsSync(note));
        child.kill("SIGKILL");
        expect(await ended).toMatchObject({ signal: "SIGKILL" });
        await expectNobodyLeft(scene);
        scene.release("hold");
        await expectReadableLedger(scene);
        expect(await runOn(scene)).toEqual(allDoneOnce);
      }),
    timeoutMs,
  );

  it.each([
    ["before its repair wrote anything, repairs those dates anew", "kill-before-write", "lost"],
    [
      "after its repair wrote, takes what is there for repaired and does not run it again",
      "kill-after-write",
      "repaired",
    ],
  ])(
    "%s",
    (_what, moment, outcome) =>
      withFillScene(sketch, async (scene) => {
        scene.ask(moment, "once");
        expect(await scene.start("--once").ended).toMatchObject({ signal: "SIGKILL" });
        const cells = scene.log().map(({ cell }) => cell);
        await expectNobodyLeft(scene);
        await expectReadableLedger(scene);
        expect(await runOn(scene)).toEqual(allDoneOnce);
        const firstEnd = await scene.ledger(
          "select outcome, error_code, repair_id from repair_ends order by ended_at limit 1",
        );
        expect(firstEnd).toEqual([[outcome, "lost", expect.any(String)]]);
        const again = scene.log().filter(({ event, cell }) => event === "started" && cells.includes(cell));
        const starts = outcome === "lost" ? 2 : 1;
        expect(again).toHaveLength(starts * new Set(cells).size);
      }),
    timeoutMs,
  );

  it(
    "when all is done but recorded, takes what is there for repaired",
    () =>
      withFillScene(sketch, async (scene) => {
        scene.ask("hold");
        const { child, ended } = scene.start("--once");
        const { pid } = await untilLogged(scene, "hold");
        // While somebody else has the ledger, what the run found out has to wait to be recorded.
        const ledger = await openDatabase({
          path: join(scene.folder, "warehouse.ledger.duckdb"),
          mode: "read_write",
          lockWaitMs: 30_000,
        });
        scene.release("hold");
        await untilLogged(scene, "filled");
        await until("the repair to end", () => !existsSync(`/proc/${pid}`));
        await sleep(500);
        child.kill("SIGKILL");
        await ended;
        ledger.close();
        await expectReadableLedger(scene);
        expect(await runOn(scene)).toEqual(allDoneOnce);
      }),
    timeoutMs,
  );
});

describe.concurrent("a date whose repair kills the run every time", () => {
  it(
    "is quarantined after as many starts as it may have, and keeps no other date from being repaired",
    () =>
      withFillScene(
        { ...elevenGaps, repair: "max_attempts: 3, backoff: [10ms], max_dates_per_job: 1" },
        async (scene) => {
          scene.ask("kill-before-write", "league.points 2024-01-09");
          for (let run = 1; run <= 3; run += 1) {
            expect(await scene.start("--once").ended).toMatchObject({ signal: "SIGKILL" });
          }
          const last = await scene.report("--once");
          expect(last.code).toBe(2);
          expect(gapsOf(last.document)).toEqual([
            "points 2024-01-09 missing quarantined",
            "totals 2024-01-09 missing blocked",
          ]);
          const starts = scene
            .log()
            .filter(({ event, cell }) => event === "started" && cell === "league.points 2024-01-09");
          expect(starts).toHaveLength(3);
          expect(
            await scene.ledger(
              "select count(*) from repair_starts where repair = 'points' and list_contains(dates, date '2024-01-09')",
            ),
          ).toEqual([["3"]]);
          const others = cellsOf(elevenGaps).filter((cell) => !cell.endsWith("2024-01-09"));
          expect(await scene.filled()).toEqual(others);
          const calm = await scene.run("--once");
          expect(calm.code).toBe(2);
          expect(scene.log().filter(({ event }) => event === "started")).toHaveLength(3 + others.length);
          await expectNobodyLeft(scene);
        },
      ),
    timeoutMs,
  );
});
