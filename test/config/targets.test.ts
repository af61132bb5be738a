import { expect, test } from "vitest";
import { faults, load, loadError, pipelineYaml } from "./load.ts";

const targets = `default_target: one
targets:
  one: { limits: { jobs_max: 1 } }
  two:
    warehouse: { path: ./two.duckdb }
    processors: { a: { tags: [z], where: null, owner: other }, b: null }
    waivers: []
  empty:
`;
const processors = `  a: { table: raw.a, date_column: d, tags: [x, y], where: w = 1, owner: me }
  b: { table: raw.b, date_column: d }`;
const yaml = pipelineYaml(processors, targets);

test("the target asked for goes before the environment's, and that before the default", async () => {
  const env = { GAP_RECONCILER_TARGET: "empty" };
  expect((await load({ yaml })).config.target).toBe("one");
  expect((await load({ yaml, env })).config.target).toBe("empty");
  expect((await load({ yaml, env, target: "two" })).config.target).toBe("two");
  expect((await load({ yaml, env: { GAP_RECONCILER_TARGET: "" } })).config.target).toBe("one");
});

test("a target merges deeply: maps merge, lists replace, null unsets", async () => {
  const { config, folder } = await load({ yaml, target: "two" });
  expect(config.storage).toMatchObject({ type: "duckdb", path: `${folder}/two.duckdb` });
  expect(config.pipeline.processors).toHaveLength(1);
  expect(config.pipeline.processors[0]).toMatchObject({
    name: "a",
    tags: ["z"],
    where: null,
    owner: "other",
  });
  const one = (await load({ yaml })).config.pipeline;
  expect(one.limits).toEqual({ jobsMax: 1, cellsPerCycleMax: 2000, commandsMax: 1 });
  expect(one.processors[0]).toMatchObject({ tags: ["x", "y"], where: "w = 1", owner: "me" });
});

test("an unknown target is told with those that there are, wherever it came from", async () => {
  expect(faults(await loadError({ yaml, target: "too" }))[0]).toMatch(
    /expected one of the targets one, two, empty found "too" from --target to do did you mean "two"\?$/,
  );
  expect(faults(await loadError({ yaml, env: { GAP_RECONCILER_TARGET: "x" } }))[0]).toMatch(
    /"x" from GAP_RECONCILER_TARGET$/,
  );
  const wrong = yaml.replace("default_target: one", "default_target: onne");
  expect(faults(await loadError({ yaml: wrong }))[0]).toMatch(
    /^pipeline\.yaml:\d+:\d+ default_target .*did you mean "one"\?$/,
  );
  expect(faults(await loadError({ yaml: pipelineYaml(), target: "x" }))[0]).toMatch(
    /no target: the file has no `targets`/,
  );
});

test("without a warehouse of its own a document with targets needs one to be chosen", async () => {
  const open = yaml.replace(/^warehouse: .*\n/m, "").replace("default_target: one\n", "");
  const all = faults(await loadError({ yaml: open }));
  expect(
    all.some((fault) => /targets expected one of the targets one, two, empty found none chosen/.test(fault)),
  ).toBe(true);
});

test("a document with a warehouse needs no target to be chosen", async () => {
  const { config } = await load({ yaml: yaml.replace("default_target: one\n", "") });
  expect(config.target).toBeNull();
  expect(config.pipeline.limits.jobsMax).toBe(8);
});

test("a key that no target can have is refused, whether the target is chosen or not", async () => {
  for (const target of ["one", "two"]) {
    const wrong = yaml.replace("  two:\n", "  two:\n    version: 1\n    limit: {}\n");
    expect(faults(await loadError({ yaml: wrong, target }))).toEqual([
      expect.stringMatching(/targets\.two\.version expected a key of targets\.two: pipeline,/),
      expect.stringMatching(/targets\.two\.limit .*did you mean "limits"\?$/),
    ]);
  }
});

test("a target that is no map is refused", async () => {
  const wrong = yaml.replace("one: { limits: { jobs_max: 1 } }", "one: 3");
  expect(faults(await loadError({ yaml: wrong }))).toEqual([
    expect.stringMatching(/targets\.one expected a map found the number 3$/),
  ]);
});

test("a target without a warehouse is told at the target, since that is what targets are for", async () => {
  const open = yaml
    .replace(/^warehouse: .*\n/m, "")
    .replace("  one: {", "  one: { warehouse: { type: duckdb, path: x },");
  expect(faults(await loadError({ yaml: open }))).toEqual([
    expect.stringMatching(/targets\.two\.warehouse\.type expected duckdb or bigquery found nothing/),
    expect.stringMatching(/targets\.empty\.warehouse expected a map with type and path found nothing/),
  ]);
});
