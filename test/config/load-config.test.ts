import { join } from "node:path";
import { expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import type { Json } from "../../src/config/tree.ts";
import { datedBy } from "../support/pipeline.ts";
import { faults, load, loadError, pipelineYaml } from "./load.ts";

const plain = "table: raw.a, date_column: d";

function repairOf(config: Config, name: string) {
  return config.pipeline.repairUnits.find((unit) => unit.name === name);
}

/** A member of the resolved document, by its path. */
function documentAt(config: Config, ...path: readonly string[]): Json | undefined {
  let value: Json | undefined = config.jsonDocument;
  for (const key of path) {
    value =
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.entries(value).find(([name]) => name === key)?.[1]
        : undefined;
  }
  return value;
}

test("a document with the required keys alone gets every default", async () => {
  const { config } = await load({ yaml: pipelineYaml(`  a: { ${plain}, repair: { command: [x] } }`) });
  const [processor] = config.pipeline.processors;
  expect(processor).toMatchObject({
    severity: "warning",
    stale: "follow",
    schedule: "default",
    due: { daysAfter: 1, minuteOfDay: 360 },
    bootstrapDays: 0,
    onPoison: "stop",
    offSchedule: "report",
    expect: { rows: { min: 1 } },
  });
  expect(repairOf(config, "a")).toMatchObject({
    replaces: true,
    saysReplaces: false,
    batch: "range",
    maxAttempts: 3,
    backoffMs: [30_000, 60_000, 120_000],
    timeoutMs: 600_000,
    timeoutPerDateMs: 300_000,
    maxDatesPerJob: 31,
    concurrency: 2,
    pool: null,
  });
  expect(config.pipeline.limits).toEqual({ jobsMax: 8, cellsPerCycleMax: 2000, commandsMax: 1 });
  expect(config.pipeline.safety).toEqual({
    autoRepairMaxAgeMs: null,
    massGap: { maxShare: 0.2, cellsMin: 50 },
    scheduleChange: { maxShare: 0.01, datesMin: 3 },
    circuitBreaker: { failures: 5, coolOffMs: 1_800_000 },
  });
  expect(config.target).toBeNull();
});

test("a config is frozen, all the way down", async () => {
  const { config } = await load({ yaml: pipelineYaml() });
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    expect(Object.isFrozen(value)).toBe(true);
    Object.values(value).forEach(visit);
  };
  visit(config);
});

test("all faults of a file are told at once, in its order, also those between its sound parts", async () => {
  const yaml = pipelineYaml(`  a: { ${plain}, priority: high }
  b: { ${plain}, depends_on: [nobody] }
  c: { ${plain}, depends_on: [a, d] }
  d: { ${plain}, depends_on: [c] }`).replace("America/New_York", "Mars/Olympus");
  expect(faults(await loadError({ yaml })).map((fault) => fault.split(" ").slice(0, 2).join(" "))).toEqual([
    "pipeline.yaml:3:11 timezone",
    "pipeline.yaml:7:48 processors.a.priority",
    "pipeline.yaml:8:51 processors.b.depends_on[0]",
    "pipeline.yaml:9:50 processors.c.depends_on",
  ]);
});

test("of very many faults the first twenty are told, and how many more there are", async () => {
  const processors = Array.from(
    { length: 30 },
    (_, index) => `  p${index}: { ${plain}, severity: bad }`,
  ).join("\n");
  const { message } = await loadError({ yaml: pipelineYaml(processors) });
  expect(message).toMatch(/is not valid: 30 errors\n/);
  expect(message.match(/processors\.p\d+\.severity/g)).toHaveLength(20);
  expect(message).toMatch(/… and 10 more, shown once these are solved$/);
});

test("defaults stand below every processor, lists replace, and null unsets a default", async () => {
  const defaults = `defaults:
  date_column: game_date
  owner: data
  tags: [x, y]
  repair: { command: [fill, "{{processor}}"], max_attempts: 7, env: { A: "1" }, pool: heavy }
pools: { heavy: { slots: 1 } }`;
  const processors = `  a: { table: raw.a }
  b: { table: raw.b, tags: [z], owner: null, repair: { max_attempts: 2, pool: null, env: { B: "2" } } }
  c: { table: raw.c, repair: null }
  d: { table: raw.d, repair: { http: { url: "http://h/" } } }`;
  const { config } = await load({ yaml: pipelineYaml(processors, defaults) });
  const [a, b, c] = config.pipeline.processors;
  expect(a).toMatchObject({ dateColumn: "game_date", owner: "data", tags: ["x", "y"] });
  expect(b).toMatchObject({ owner: null, tags: ["z"] });
  expect(repairOf(config, "a")).toMatchObject({
    maxAttempts: 7,
    pool: "heavy",
    action: { kind: "command", env: { A: "1" } },
  });
  expect(repairOf(config, "b")).toMatchObject({
    maxAttempts: 2,
    pool: null,
    action: { env: { A: "1", B: "2" } },
  });
  expect(c?.repairUnit).toBeNull();
  expect(repairOf(config, "d")).toMatchObject({ maxAttempts: 7, action: { kind: "http", method: "POST" } });
});

test("settings without an action are no repair", async () => {
  const yaml = pipelineYaml(
    `  a: { ${plain} }\n  b: { ${plain}, repair: { max_attempts: 9 } }`,
    "defaults: { repair: { timeout: 1m } }",
  );
  const { config } = await load({ yaml });
  expect(config.pipeline.repairUnits).toEqual([]);
  expect(config.pipeline.processors.map(({ repairUnit }) => repairUnit)).toEqual([null, null]);
});

test("a fault in defaults is told once, where it stands, not once for every processor", async () => {
  const yaml = pipelineYaml(`  a: { ${plain} }\n  b: { ${plain} }`, "defaults: { severity: bad }");
  expect(faults(await loadError({ yaml }))).toEqual([
    expect.stringMatching(/^pipeline\.yaml:9:23 defaults\.severity /),
  ]);
});

test("a shared repair is one unit for all who use it, with the settings of the defaults and its own", async () => {
  const yaml = pipelineYaml(
    `  a: { ${plain}, repair: { use: both } }\n  b: { ${plain} }\n  c: { ${plain}, repair: { use: both } }`,
    "repairs: { both: { command: [x], concurrency: 1 } }\ndefaults: { repair: { max_attempts: 4 } }",
  );
  const { config } = await load({ yaml });
  expect(config.pipeline.repairUnits).toHaveLength(1);
  expect(repairOf(config, "both")).toMatchObject({ processors: [0, 2], maxAttempts: 4, concurrency: 1 });
  expect(config.pipeline.processors.map(({ repairUnit }) => repairUnit)).toEqual([0, null, 0]);
});

test("a shared repair that cannot work is refused: settings beside use, no action, SQL for two, a processor's name", async () => {
  const fault = async (processors: string, top: string, files = {}) =>
    faults(await loadError({ yaml: pipelineYaml(processors, top), files }));
  const use = `  a: { ${plain}, repair: { use: both } }\n  b: { ${plain}, repair: { use: both } }`;
  expect(
    await fault(
      `  a: { ${plain}, repair: { use: both, timeout: 1m } }`,
      "repairs: { both: { command: [x] } }",
    ),
  ).toEqual([
    expect.stringMatching(
      /processors\.a\.repair\.timeout expected nothing beside `use`.*stand under `repairs`$/,
    ),
  ]);
  expect(await fault(use, "repairs: { both: { timeout: 1m } }")).toEqual([
    expect.stringMatching(
      /repairs\.both expected an action: sql_file, command, http, kubernetes_job, cloud_run_job, pubsub found none/,
    ),
  ]);
  const sql = { "f.sql": "select 1 where $start_date = $end_date" };
  expect(await fault(use, "repairs: { both: { sql_file: f.sql } }", sql)).toEqual([
    expect.stringMatching(/repairs\.both\.sql_file expected one processor that uses it.* found 2 processors/),
  ]);
  const own = `  a: { ${plain}, repair: { command: [x] } }\n  b: { ${plain}, repair: { use: a } }`;
  expect(await fault(own, "repairs: { a: { command: [x] } }")).toEqual([
    expect.stringMatching(
      /repairs\.a expected a name that no processor with a repair of its own has found a/,
    ),
  ]);
});

test("two actions at once, and keys of a command beside another action, are refused", async () => {
  const fault = async (repair: string) =>
    faults(await loadError({ yaml: pipelineYaml(`  a: { ${plain}, repair: { ${repair} } }`) }));
  expect(await fault('command: [x], http: { url: "http://h" }')).toEqual([
    expect.stringMatching(/processors\.a\.repair expected one action found command and http/),
  ]);
  expect(await fault('http: { url: "http://h" }, exit_codes: { permanent: [1] }')).toEqual([
    expect.stringMatching(
      /repair\.exit_codes expected no exit_codes, which belongs to command, kubernetes_job, cloud_run_job found exit_codes beside http/,
    ),
  ]);
});

test("a command is a list, and a plain text is told that nothing goes through a shell", async () => {
  const yaml = pipelineYaml(`  a: { ${plain}, repair: { command: python backfill.py } }`);
  expect(faults(await loadError({ yaml }))).toEqual([
    expect.stringMatching(
      /repair\.command expected a list of texts.* found "python backfill\.py" to do nothing is ever passed to a shell/,
    ),
  ]);
  const number = pipelineYaml(`  a: { ${plain}, repair: { command: [x, 3] } }`);
  expect(faults(await loadError({ yaml: number }))).toEqual([
    expect.stringMatching(/repair\.command\[1\] expected text found the number 3 to do put it into quotes/),
  ]);
});

test("an SQL repair holds its file's text, and is refused without a file, a statement or its dates", async () => {
  const yaml = pipelineYaml(`  a: { ${plain}, repair: { sql_file: sql/a.sql } }`);
  const sql = "-- fills a\nselect * from raw.b where d between $start_date and $end_date\n";
  const { config, folder } = await load({ yaml, files: { "sql/a.sql": sql } });
  expect(repairOf(config, "a")?.action).toEqual({
    kind: "sql",
    file: join(folder, "sql/a.sql"),
    sql: sql.trim(),
    publish: "if_better",
    leaveNull: [],
  });
  const fault = async (files: Readonly<Record<string, string>>) =>
    faults(await loadError({ yaml, files }))[0];
  expect(await fault({})).toMatch(
    /repair\.sql_file expected a file with SQL at \S+sql\/a\.sql found no such file to do paths are relative/,
  );
  expect(await fault({ "sql/a.sql": "-- nothing\n/* $start_date */" })).toMatch(
    /found a file without a statement$/,
  );
  expect(await fault({ "sql/a.sql": "select 1 -- $start_date" })).toMatch(
    /expected a SELECT that reads \$start_date and \$end_date/,
  );
  expect(await fault({ "sql/a.sql": "select '{{start_date}}'" })).toMatch(/expected SQL without templates/);
  expect(await fault({ "sql/a.sql/b": "" })).toMatch(/found a directory/);
});

test("an SQL repair on BigQuery may name its dates as GoogleSQL does", async () => {
  const bigquery = `version: 1
pipeline: p
timezone: UTC
warehouse: { type: bigquery, project: a-project }
ledger: { dataset: p_reconciler }
schedule: { every: day, start_date: 2024-01-01 }
processors:
  a: { ${plain}, repair: { sql_file: a.sql } }
`;
  const sql = "select * from raw.b where d between @start_date and @end_date";
  const { config } = await load({ yaml: bigquery, files: { "a.sql": sql } });
  expect(repairOf(config, "a")?.action).toMatchObject({ kind: "sql", sql });
  expect(faults(await loadError({ yaml: bigquery, files: { "a.sql": "select * from raw.b" } }))).toEqual([
    expect.stringMatching(
      /a SELECT that reads @start_date and @end_date found neither .* between @start_date and/,
    ),
  ]);
});

test("an HTTP repair gets its defaults, and a body that is a map becomes JSON", async () => {
  const yaml = pipelineYaml(`  a:
    table: raw.a
    date_column: d
    repair:
      http:
        url: "http://127.0.0.1:8080/run?date={{start_date}}"
        body: { dates: "{{dates}}", force: true, n: 3, nested: [1, null] }
        poll: { url: "http://127.0.0.1:8080/runs/{{response.id}}" }`);
  const { config } = await load({ yaml });
  expect(repairOf(config, "a")?.action).toEqual({
    kind: "http",
    method: "POST",
    url: "http://127.0.0.1:8080/run?date={{start_date}}",
    headers: { "Content-Type": "application/json" },
    body: '{"dates":"{{dates}}","force":true,"n":3,"nested":[1,null]}',
    acceptedStatuses: [],
    poll: {
      url: "http://127.0.0.1:8080/runs/{{response.id}}",
      intervalMs: 5000,
      statusField: "status",
      succeeded: ["succeeded", "success", "completed", "done"],
      failed: ["failed", "error", "cancelled"],
    },
  });
});

test("an HTTP repair that cannot work is refused", async () => {
  const fault = async (http: string) =>
    faults(await loadError({ yaml: pipelineYaml(`  a: { ${plain}, repair: { http: { ${http} } } }`) }))[0];
  expect(await fault('url: "ftp://h/"')).toMatch(
    /http\.url expected a URL that begins with http:\/\/ or https:\/\/ found "ftp:\/\/h\/"$/,
  );
  expect(await fault('url: "/run"')).toMatch(/http\.url expected a URL/);
  expect(await fault('url: "http://h/", method: GET, body: x')).toMatch(
    /http\.body expected no body with GET/,
  );
  expect(await fault('url: "http://h/", method: DELETE')).toMatch(
    /expected one of POST, PUT, GET, PATCH found "DELETE"/,
  );
  expect(await fault('url: "http://h/", poll: { url: "http://h/", succeeded: [a], failed: [a] }')).toMatch(
    /a in both$/,
  );
});

test("schedules come from tables, SQL files and calendars, `schedule` alone is called default", async () => {
  const yaml = `version: 1
pipeline: p
timezone: UTC
warehouse: { type: duckdb, path: /data/w.db }
schedule: { table: raw.games, date_column: d }
schedules:
  from_sql: { sql_file: games.sql, date_column: d, unit_column: g, season_column: s, where: ok }
  weekly: { every: week, weekday: friday, start_date: 2024-01-05 }
  daily: { every: day, start_date: 2024-01-01 }
processors:
  a: { table: x, date_column: d }
  b: { table: x, date_column: d, schedule: weekly }
`;
  const { config, folder } = await load({ yaml, files: { "games.sql": "select d, g, s, ok from games" } });
  expect(config.pipeline.schedules.map(({ name, source }) => [name, source])).toEqual([
    [
      "default",
      {
        kind: "table",
        table: { parts: ["raw", "games"] },
        ...datedBy("d"),
        unitColumn: null,
        seasonColumn: null,
        where: null,
      },
    ],
    [
      "from_sql",
      {
        kind: "query",
        file: join(folder, "games.sql"),
        sql: "select d, g, s, ok from games",
        ...datedBy("d"),
        unitColumn: "g",
        seasonColumn: "s",
        where: "ok",
      },
    ],
    ["weekly", { kind: "calendar", every: "week", weekday: 5, day: "first" }],
    ["daily", { kind: "calendar", every: "day", weekday: 1, day: "first" }],
  ]);
  expect(config.pipeline.processors.map(({ schedule }) => schedule)).toEqual(["default", "weekly"]);
  expect(config.storage).toEqual({
    type: "duckdb",
    path: "/data/w.db",
    ledgerPath: "/data/w.ledger.duckdb",
    queryTimeoutMs: 300_000,
  });
});

test("a schedule that cannot work is refused", async () => {
  const fault = async (schedule: string) => {
    const yaml = pipelineYaml().replace(/^schedule: .*$/m, schedule);
    return faults(await loadError({ yaml }))[0];
  };
  expect(await fault("schedule: { every: day }")).toMatch(
    /schedule\.start_date expected the first date of the calendar/,
  );
  expect(await fault("schedule: { table: x }")).toMatch(
    /schedule\.date_column expected the column with the date found nothing/,
  );
  expect(await fault("schedule: {}")).toMatch(
    /schedule expected exactly one of table, sql_file and every found none of them/,
  );
  expect(await fault("schedule: { table: x, every: day }")).toMatch(/found table and every/);
  expect(await fault("schedule: { every: day, start_date: 2024-01-01, where: x }")).toMatch(
    /schedule\.where expected no where/,
  );
  expect(await fault("schedule: { every: day, start_date: 2024-01-01, weekday: monday }")).toMatch(
    /belongs to every: week/,
  );
  expect(await fault("")).toMatch(
    /schedule expected a schedule, which says on which dates data is expected found nothing/,
  );
  expect(await fault("schedule: { table: x, date_column: d, expect: { max_gap: 12h } }")).toMatch(
    /whole days, such as 200d/,
  );
  expect(
    await fault(
      "schedules: { a: { every: day, start_date: 2024-01-01 }, b: { every: day, start_date: 2024-01-01 } }",
    ),
  ).toMatch(/processors\.a\.schedule expected one of the schedules a, b found nothing/);
});

test("expectations that nothing can meet are refused", async () => {
  const fault = async (expectation: string) =>
    faults(
      await loadError({
        yaml: pipelineYaml(`  a: { ${plain}, expect: { ${expectation} } }\n  b: { ${plain} }`),
      }),
    )[0];
  expect(await fault("rows: { min: 0, when: { of: a } }")).toMatch(
    /rows\.when\.of expected another processor found the processor itself$/,
  );
  expect(await fault("rows: { min: 5, max: 4 }")).toMatch(
    /rows\.max expected at least min, which is 5 found the number 4$/,
  );
  expect(await fault("rows: { per_unit: 5, max_per_unit: 4 }")).toMatch(
    /rows\.max_per_unit expected at least per_unit/,
  );
  expect(await fault("not_null: [k, D]")).toMatch(
    /expect\.not_null\[1\] expected a column other than date_column: .* found "D" to do remove it; /,
  );
  expect(await fault("not_null: [{ column: d, max_ratio: 0.5 }]")).toMatch(
    /not_null\[0\]\.column expected a column other than date_column: /,
  );
  expect(await fault("coverage: { of: a, key: k }")).toMatch(
    /coverage\.of expected another processor found the processor itself$/,
  );
  expect(await fault("coverage: { of: schedule, key: k }")).toMatch(
    /expected a schedule with rows found a calendar/,
  );
  expect(await fault("coverage: { of: b, key: k, min: 1.5 }")).toMatch(
    /coverage\.min expected a number from 0 to 1/,
  );
  expect(await fault("quality: { column: q, good: 60 }")).toMatch(
    /quality\.ok expected at most good, which is 60/,
  );
  expect(await fault("quality: { column: q, degraded: 80 }")).toMatch(
    /quality\.degraded expected at most ok, which is 70/,
  );
  expect(await fault("measures: { m: { sql: count(*) } }")).toMatch(
    /measures\.m expected min, max or both found neither$/,
  );
  expect(await fault("measures: { m: { sql: count(*), min: 2, max: 1 } }")).toMatch(
    /measures\.m\.max expected at least min/,
  );
  expect(await fault("unique_keys: [a, b]")).toMatch(/unique_keys\[0\] expected a list of columns found "a"/);
  expect(await fault('checks: { c: "x > 1;" }')).toMatch(
    /checks\.c expected an SQL condition without a semicolon/,
  );
  expect(await fault("checks: { Bad-Name: x }")).toMatch(
    /checks\.Bad-Name expected a name of lower-case letters.* found "Bad-Name"$/,
  );
});

test("the entities of another processor are known by the coverage here, or else by its own", async () => {
  const { config } = await load({
    yaml: pipelineYaml(`  up: { ${plain}, expect: { coverage: { of: base, key: player } } }
  base: { ${plain} }
  by_own: { ${plain}, expect: { rows: { per_entity: { of: up, min: 40 } } } }
  by_here: { ${plain}, expect: { coverage: { of: up, key: x, of_key: y }, rows: { per_entity: { of: up } } } }
  by_rows: { ${plain}, expect: { rows: { per_entity: { of: base } } } }
  given: { ${plain}, expect: { rows: { per_entity: { of: up, key: z } } } }`),
  });
  expect(config.pipeline.processors.slice(2).map((processor) => processor.expect.rows.perEntity)).toEqual([
    { of: "up", key: "player", min: 40 },
    { of: "up", key: "y", min: 1 },
    { of: "base", key: null, min: 1 },
    { of: "up", key: "z", min: 1 },
  ]);
});

test("tables whose empty dates are judged by each other are refused, unless a log proves them", async () => {
  const yaml = (more: string) =>
    pipelineYaml(`  a: { ${plain}, expect: { rows: { min: 0, per_entity: { of: b }${more} } } }
  b: { ${plain}, expect: { rows: { min: 0, when: { of: c } } } }
  c: { ${plain}, expect: { coverage: { of: a, key: k }, rows: { min: 0${more} } } }`);
  const rule = "expected a processor whose own empty dates are not judged by this one";
  expect(faults(await loadError({ yaml: yaml("") })).map((text) => text.slice(0, 140))).toEqual([
    expect.stringContaining(`processors.a.expect.rows.per_entity.of ${rule} found b`),
    expect.stringContaining(`processors.b.expect.rows.when.of ${rule} found c`),
    expect.stringContaining(`processors.c.expect.coverage.of ${rule} found a`),
  ]);
  const log = ", completion_log: { table: ref.runs, date_column: day }";
  expect(faults(await loadError({ yaml: yaml(log) }))).toHaveLength(1);
});

test("what allows dates without rows changes the hash of the expectation only where it is there", async () => {
  const hashOf = async (rows: string) => {
    const { config } = await load({
      yaml: pipelineYaml(`  a: { ${plain}, expect: { rows: ${rows} } }\n  b: { ${plain} }`),
    });
    return config.pipeline.processors[0]?.expect.hash;
  };
  const log = "completion_log: { table: ref.runs, date_column: day";
  const hashes = await Promise.all(
    ["{}", "{ when: { of: b } }", `{ ${log} } }`, `{ ${log}, rows_column: n } }`].map(hashOf),
  );
  expect(new Set(hashes).size).toBe(4);
  // As the releases before it made it.
  expect(hashes[0]).toBe("99d643f258fb85ab");
});

test("a completion log allows dates without rows", async () => {
  const rows =
    "{ min: 0, completion_log: { table: ref.runs, date_column: data_date, where: status = 'success', rows_column: n } }";
  const { config } = await load({ yaml: pipelineYaml(`  a: { ${plain}, expect: { rows: ${rows} } }`) });
  expect(config.pipeline.processors[0]?.expect.rows).toMatchObject({
    min: 0,
    completionLog: {
      table: { parts: ["ref", "runs"] },
      dateColumn: "data_date",
      where: "status = 'success'",
      rowsColumn: "n",
    },
  });
});

test("probes have a default, and null is never, also over defaults that have them", async () => {
  const probeOf = async (own: string, more = "") => {
    const { config } = await load({
      yaml: `${pipelineYaml(`  a: { ${plain}, repair: { command: [x]${own} } }`)}${more}`,
    });
    return repairOf(config, "a")?.probe;
  };
  expect(await probeOf("")).toEqual({ afterMs: 6 * 3_600_000, max: 5 });
  expect(await probeOf(", probe: { after: 2s }")).toEqual({ afterMs: 2000, max: 5 });
  expect(await probeOf(", probe: null")).toBeNull();
  const defaults = (probe: string) => `\ndefaults: { repair: { probe: ${probe} } }\n`;
  expect(await probeOf("", defaults("null"))).toBeNull();
  expect(await probeOf(", probe: { max: 1 }", defaults("null"))).toEqual({ afterMs: 6 * 3_600_000, max: 1 });
  expect(await probeOf(", probe: null", defaults("{ after: 1h }"))).toBeNull();
});

test("repair windows are times of day, over midnight too", async () => {
  const yaml = (windows: string) =>
    pipelineYaml(`  a: { ${plain}, repair: { command: [x], windows: ${windows} } }`);
  const { config } = await load({ yaml: yaml('["22:00-06:00", "12:30-13:00"]') });
  expect(repairOf(config, "a")?.windows).toEqual([
    { startMinute: 1320, endMinute: 360 },
    { startMinute: 750, endMinute: 780 },
  ]);
  for (const bad of ['["24:00-06:00"]', '["6:00-7:00"]', '["06:00-06:00"]']) {
    expect(faults(await loadError({ yaml: yaml(bad) }))[0]).toMatch(
      /windows\[0\] expected two different times of day/,
    );
  }
});

test("the environment of a command may not take the names that the product sets", async () => {
  const yaml = pipelineYaml(`  a: { ${plain}, repair: { command: [x], env: { GAP_RECONCILER_DATES: x } } }`);
  expect(faults(await loadError({ yaml }))[0]).toMatch(
    /env\.GAP_RECONCILER_DATES .*the product sets those itself$/,
  );
});

test("a ledger in the warehouse's own file, and a warehouse in memory, are refused", async () => {
  const same = pipelineYaml(undefined, "ledger: { path: ./warehouse.duckdb }");
  expect(faults(await loadError({ yaml: same }))[0]).toMatch(
    /ledger\.path expected a file of its own found the warehouse's file/,
  );
  const memory = pipelineYaml().replace("./warehouse.duckdb", '":memory:"');
  expect(faults(await loadError({ yaml: memory }))[0]).toMatch(/warehouse\.path expected a file/);
});

test("a waiver's id is made of what it says, not of where it stands", async () => {
  const first = "{ processors: [a], start_date: 2024-01-01, end_date: 2024-01-02, reason: r, owner: o }";
  const second = "{ processors: [a], start_date: 2024-02-01, end_date: 2024-02-02, reason: r, owner: o }";
  const ids = async (list: string) =>
    (await load({ yaml: pipelineYaml(undefined, `waivers: [${list}]`) })).config.pipeline.waivers.map(
      ({ id }) => id,
    );
  const [one, two] = await ids(`${first}, ${second}`);
  expect(one).not.toBe(two);
  expect(await ids(`${second}, ${first}`)).toEqual([two, one]);
  const twice = await loadError({ yaml: pipelineYaml(undefined, `waivers: [${first}, ${first}]`) });
  expect(faults(twice)[0]).toMatch(/waivers\[1\] expected each waiver once/);
});

test("an expectation's hash changes with what is expected and where, not with its writing", async () => {
  const hash = async (processor: string) =>
    (await load({ yaml: pipelineYaml(`  a: { ${processor} }`) })).config.pipeline.processors[0]?.expect.hash;
  const base = await hash(plain);
  expect(await hash(`${plain}, severity: critical, expect: { rows: { min: 1, max: null } }, tags: [x]`)).toBe(
    base,
  );
  for (const other of [
    `${plain}, where: x = 1`,
    "table: raw.b, date_column: d",
    "table: raw.a, date_column: e",
    `${plain}, expect: { rows: { min: 2 } }`,
    `${plain}, expect: { checks: { c: "x > 0" } }`,
  ]) {
    expect(await hash(other)).not.toBe(base);
  }
});

test("a repair's hash changes with what it does, and not with the folder, the settings or a secret", async () => {
  const hash = async (repair: string, files = {}, env = {}) =>
    repairOf(
      (await load({ yaml: pipelineYaml(`  a: { ${plain}, repair: { ${repair} } }`), files, env })).config,
      "a",
    )?.hash;
  const base = await hash("command: [x]");
  expect(await hash("command: [x], max_attempts: 9")).toBe(base);
  expect(await hash("command: [y]")).not.toBe(base);
  expect(await hash('command: [x], env: { A: "1" }')).not.toBe(base);
  const sql = await hash("sql_file: f.sql", { "f.sql": "select $start_date" });
  expect(await hash("sql_file: g.sql", { "g.sql": "select $start_date\n" })).toBe(sql);
  expect(await hash("sql_file: f.sql", { "f.sql": "select $end_date" })).not.toBe(sql);
  const token = 'command: [x], env: { A: "${API_TOKEN}" }';
  expect(await hash(token, {}, { API_TOKEN: "first-secret" })).toBe(
    await hash(token, {}, { API_TOKEN: "second" }),
  );
});

test("the resolved document has every default and loads again to the same pipeline", async () => {
  const yaml = pipelineYaml(
    `  a: { ${plain}, repair: { command: [x] }, severity: null }\n  b: { table: raw.b, depends_on: [a, { processor: a, lookback: { dates: 3 } }] }`,
    "defaults: { date_column: game_date, due: { at: '07:30' } }",
  );
  const { config, folder } = await load({ yaml });
  expect(documentAt(config, "processors", "b", "due")).toEqual({ days_after: 1, at: "07:30" });
  expect(documentAt(config, "processors", "a", "repair", "timeout")).toBe("10m");
  expect(documentAt(config, "limits")).toEqual({ jobs_max: 8, cells_per_cycle_max: 2000 });
  const again = await load({ yaml: JSON.stringify(config.jsonDocument) });
  const pipelineText = JSON.stringify(again.config.pipeline).replaceAll(again.folder, folder);
  expect(JSON.parse(pipelineText)).toEqual(config.pipeline);
});

test("a byte order mark and Windows line ends make no difference", async () => {
  const { config } = await load({ yaml: `\ufeff${pipelineYaml().replaceAll("\n", "\r\n")}` });
  expect(config.pipeline.processors.map(({ name }) => name)).toEqual(["a"]);
});

test("five thousand processors in one chain load", async () => {
  const chain = Array.from({ length: 5000 }, (_, index) => {
    const next = index === 4999 ? "[]" : `[p${index + 1}]`;
    return `  p${index}: { ${plain}, depends_on: ${next} }`;
  });
  const { config } = await load({ yaml: pipelineYaml(chain.join("\n")) });
  expect(config.pipeline.processors).toHaveLength(5000);
});

test("a timeout that stands alone is for the whole run; one of its own does not inherit the time per date", async () => {
  const base = "version: 1\npipeline: p\ntimezone: UTC\nwarehouse: { type: duckdb, path: w.duckdb }\n";
  const schedule = "schedule: { every: day, start_date: 2024-01-01 }\n";
  const defaults = "defaults: { date_column: d, repair: { timeout: 10m, timeout_per_date: 5m } }\n";
  const processors = `processors:
  own: { table: s.own, repair: { command: [run], timeout: 2s, backoff: [0s] } }
  both: { table: s.both, repair: { command: [run], timeout: 2s, timeout_per_date: 1s } }
  none: { table: s.none, repair: { command: [run] } }
`;
  const { config } = await load({ yaml: base + schedule + defaults + processors });
  const limits = config.pipeline.repairUnits.map((unit) => [unit.timeoutMs, unit.timeoutPerDateMs]);
  expect(limits).toEqual([
    [2_000, 0],
    [2_000, 1_000],
    [600_000, 300_000],
  ]);
  expect(config.pipeline.repairUnits[0]?.backoffMs).toEqual([0]);
});
