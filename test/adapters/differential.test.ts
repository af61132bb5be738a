// Goal: a verdict does not depend on where the data is. Method: the same random fixtures, each with tables of its own, a
// schedule and up to three processors, in DuckDB and in Google's own engine. What is assessed of them has to be the same
// cell for cell, and what the adapters saw the same to the bit. Many fixtures stand side by side in one survey, as a
// statement costs more than what is in it; one that differs is found again alone, by shrinking.
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quoteIdentifier, quoteText } from "../../src/adapters/duckdb/sql-text.ts";
import { createDuckDbWarehouse } from "../../src/adapters/duckdb/warehouse.ts";
import { assess } from "../../src/core/assess.ts";
import {
  alignSight,
  type Assessment,
  compilePipeline,
  dateContext,
  scheduleOf,
} from "../../src/core/assessment.ts";
import { failedRequirements } from "../../src/core/expectation.ts";
import { dateAt, dispositionName, reasonName, State, stateName } from "../../src/core/grid.ts";
import { parseIsoDate, toDay } from "../../src/core/iso-date.ts";
import { foldLedger } from "../../src/core/ledger-facts.ts";
import { emptyLedgerRecords } from "../../src/core/ledger-records.ts";
import type { Observations } from "../../src/core/observation.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { ReconcilerError } from "../../src/errors.ts";
import type { Warehouse } from "../../src/reconcile/ports.ts";
import { arbitraryBatch, type BatchSketch, fixtureColumns, sketchOf } from "../support/arbitrary-fixture.ts";
import { type BigQueryServer, startBigQuery } from "../support/bigquery/server.ts";
import { makeTempWarehouse, type TempWarehouse } from "../support/duckdb.ts";
import { dayMs, pipelineOf } from "../support/pipeline.ts";
import { openWarehouse } from "./bigquery/open.ts";

const fixturesWanted = 500;
const batches = 66;
const fixturesPerBatchMax = 24;

let server: BigQueryServer;
let file: TempWarehouse;
beforeAll(async () => {
  server = await startBigQuery();
  file = await makeTempWarehouse(["create schema stats"]);
});
afterAll(async () => {
  await server.stop();
  await file.remove();
});

test("DuckDB and BigQuery see the same in any tables, cell for cell", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(arbitraryBatch(fixturesPerBatchMax), async (batch) => {
      const { tables, whole, alone } = sketchOf(batch);
      await fill(tables);
      const { processors, schedules, timezone } = pipelineOf(whole);
      const [start, end] = [parseIsoDate(batch.range.start), parseIsoDate(batch.range.end)];
      const look = async (warehouse: Warehouse): Promise<Observations> => {
        const stored = schedules.filter(({ source }) => source.kind !== "calendar");
        const request = { schedules: stored, processors, range: { start, end }, budgetBytes: Infinity };
        const seen = await warehouse.survey(request);
        await warehouse.close();
        const now = toDay(end) * dayMs + dayMs / 2;
        return { ...seen, now, unmetPreconditions: new Map(), runHistory: null, scanBytes: 0 };
      };
      const pipeline = { processors, schedules, timezone };
      const local = await look(createDuckDbWarehouse({ path: file.path, ...pipeline }));
      const remote = await look(openWarehouse(server, pipeline));
      for (const sketch of alone) {
        const grid = gridOf(pipelineOf(sketch), local);
        expect(gridOf(pipelineOf(sketch), remote)).toEqual(grid);
        if (grid !== null) compared += 1;
      }
      expect(remote.processors).toEqual(local.processors);
      expect(remote.outside).toEqual(local.outside);
      expect(remote.schedules).toEqual(local.schedules);
      expect([...local.processors.values()].filter(({ kind }) => kind === "failed")).toEqual([]);
    }),
    { numRuns: batches },
  );
  expect(compared).toBeGreaterThanOrEqual(fixturesWanted);
}, 300_000);

async function fill(tables: BatchSketch["tables"]): Promise<void> {
  const types = Object.entries(fixtureColumns);
  const columns = Object.fromEntries(types.map(([column, { bigquery }]) => [column, bigquery]));
  const definitions = types.map(([column, { duckdb }]) => `${quoteIdentifier(column)} ${duckdb}`).join(", ");
  const statements: string[] = [];
  for (const [name, rows] of Object.entries(tables)) {
    server.define({ name, columns, rows });
    const values = rows.map(
      (cells) => `(${cells.map((cell) => (cell === null ? "null" : quoteText(cell))).join(", ")})`,
    );
    statements.push(`create or replace table ${name} (${definitions})`);
    if (values.length > 0) statements.push(`insert into ${name} values ${values.join(", ")}`);
  }
  await file.write(["begin", ...statements, "commit"]);
}

/** What is said of each cell, in words; null where the schedule has no date, so that there is no cell. */
function gridOf(pipeline: Pipeline, seen: Observations): Record<string, string> | null {
  const compiled = compilePipeline(pipeline);
  const sight = sightOf(compiled, seen);
  if (sight === null) return null;
  const assessment = assess({
    compiled,
    sight,
    facts: foldLedger(pipeline, emptyLedgerRecords, seen.now),
    inFlight: [],
    now: seen.now,
    policy: { maxAgeMs: null, wanted: [], horizon: seen.now, ignoreBackoff: false },
    selection: {
      processors: new Set(pipeline.processors.keys()),
      from: 0,
      to: sight.axis.length - 1,
    },
    assumed: null,
  });
  const cells = pipeline.processors.flatMap(({ index, name }) =>
    Array.from({ length: sight.axis.length }, (_, position): [string, string] => [
      `${name} ${dateAt(sight.axis, position)}`,
      cellOf(assessment, index, position),
    ]),
  );
  return Object.fromEntries(cells.filter(([, text]) => text !== ""));
}

function sightOf(
  ...[compiled, seen]: readonly [Assessment["compiled"], Observations]
): Assessment["sight"] | null {
  try {
    return alignSight(compiled, seen, seen.now);
  } catch (error) {
    if (error instanceof ReconcilerError && error.code === "schedule_empty") return null;
    throw error;
  }
}

/** Empty where there is no cell. */
function cellOf(assessment: Assessment, processor: number, position: number): string {
  const { grid, sight, compiled } = assessment;
  const cell = processor * grid.axis.length + position;
  const state = grid.states[cell] ?? 0;
  if (state === State.unscheduled) return "";
  const [judge, observed] = [compiled.judges[processor], sight.observed[processor]];
  if (judge === undefined || observed === undefined)
    throw new RangeError(`there is no processor ${processor}`);
  const context = dateContext(scheduleOf(assessment, processor), grid.axis, position);
  const [profile, entry] = [observed.profile, observed.entries[position] ?? -1];
  const failed = failedRequirements(judge, profile, entry, context).map(({ name, describe }) => {
    const told = describe(profile, entry, context);
    return `${name} (${told.observed}; ${told.expected})`;
  });
  return [
    stateName(state),
    dispositionName(grid.dispositions[cell] ?? 0),
    reasonName(grid.reasons[cell] ?? 0),
    grid.degraded[cell] === 1 ? "degraded" : "",
    ...failed,
  ].join(", ");
}
