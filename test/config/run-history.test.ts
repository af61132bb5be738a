import { expect, test } from "vitest";
import { datedBy } from "../support/pipeline.ts";
import { faults, load, loadError, pipelineYaml } from "./load.ts";

const columns = `
  table: ops.runs
  date_column: data_date
  processor_column: processor_name
  status_column: status
  started_at_column: started_at`;
const withHistory = (more = "") => ({ yaml: pipelineYaml(undefined, `run_history:${columns}${more}`) });

test("a pipeline has no run history unless it is given one", async () => {
  expect((await load({ yaml: pipelineYaml() })).config.pipeline.runHistory).toBeNull();
});

test("a run history needs its table and four columns; the rest has defaults", async () => {
  const { config } = await load(withHistory());
  expect(config.pipeline.runHistory).toEqual({
    table: { parts: ["ops", "runs"] },
    ...datedBy("data_date"),
    processorColumn: "processor_name",
    statusColumn: "status",
    startedAtColumn: "started_at",
    endedAtColumn: null,
    errorColumn: null,
    runIdColumn: null,
    where: null,
    statuses: { running: ["running"], failed: ["failed"], skipped: ["skipped"] },
    runningMaxMs: 4 * 3_600_000,
    names: {},
  });
  const bare = pipelineYaml(undefined, "run_history: { table: ops.runs, date_column: data_date }");
  expect(faults(await loadError({ yaml: bare })).map((fault) => /run_history\.\w+/.exec(fault)?.[0])).toEqual(
    ["run_history.processor_column", "run_history.status_column", "run_history.started_at_column"],
  );
});

test("statuses are compared without regard to case, and a processor may have another name there", async () => {
  const { config } = await load(
    withHistory("\n  statuses: { running: [STARTED, Running] }\n  names: { a: AProcessor }"),
  );
  expect(config.pipeline.runHistory).toMatchObject({
    statuses: { running: ["started", "running"], failed: ["failed"] },
    names: { a: "AProcessor" },
  });
});

test("a name for a processor that there is not, and no status of a run that is under way, are refused", async () => {
  const error = await loadError(withHistory("\n  names: { b: B }\n  statuses: { running: [] }"));
  expect(faults(error)).toEqual([
    'pipeline.yaml:14:15 run_history.names.b expected the name of a processor found the unknown processor "b" to do did you mean "a"?',
    "pipeline.yaml:15:24 run_history.statuses.running expected at least one status of a run that is under way found none",
  ]);
});
