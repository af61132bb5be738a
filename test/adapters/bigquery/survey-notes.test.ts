import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { noteBytesMax, type SurveyNote } from "../../../src/adapters/bigquery/survey-memory.ts";
import { noon } from "../../contract/ledger-records.ts";
import { type BigQueryServer, startBigQuery } from "../../support/bigquery/server.ts";
import { openLedger } from "./open.ts";

let server: BigQueryServer;
beforeAll(async () => {
  server = await startBigQuery();
});
afterAll(() => server.stop());

let dataset = "";
let datasets = 0;
beforeEach(async () => {
  datasets += 1;
  dataset = `ledger_${datasets}`;
  await openLedger(server, dataset).create();
  server.stats.clear();
});

/** What a process of its own remembers. */
const memory = () => openLedger(server, dataset).memory;
const noteOf = (part: string, overrides: Partial<SurveyNote> = {}): SurveyNote => ({
  subject: "processor/scores",
  part,
  at: noon,
  body: `body of ${part}`,
  ...overrides,
});
const inOrder = (notes: readonly SurveyNote[]) =>
  notes.toSorted((a, b) => (`${a.subject} ${a.part}` < `${b.subject} ${b.part}` ? -1 : 1));

test("the last note about each part of each subject is there for every process", async () => {
  expect(await memory().read()).toEqual([]);
  const notes = [noteOf("a"), noteOf("b"), noteOf("a", { subject: "table/stats.scores" })];
  await memory().append(notes);
  await memory().append([
    noteOf("a", { at: noon - 1, body: "older" }),
    noteOf("b", { at: noon + 1, body: "newer" }),
  ]);
  expect(inOrder(await memory().read())).toEqual([
    noteOf("a"),
    noteOf("b", { at: noon + 1, body: "newer" }),
    noteOf("a", { subject: "table/stats.scores" }),
  ]);
});

test("the same notes twice change nothing", async () => {
  await memory().append([noteOf("a"), noteOf("b")]);
  await memory().append([noteOf("a"), noteOf("b")]);
  expect(await server.run(`select count(*) from ${dataset}.survey_notes`)).toEqual([["2"]]);
  expect(inOrder(await memory().read())).toEqual([noteOf("a"), noteOf("b")]);
});

test("a process sees what another one notes, and asks for free where nothing is new", async () => {
  const [mine, other] = [memory(), memory()];
  await mine.append([noteOf("a")]);
  expect(await mine.read()).toHaveLength(1);
  await other.append([noteOf("b")]);
  expect(await mine.read()).toHaveLength(2);
  server.stats.clear();
  expect(await mine.read()).toHaveLength(2);
  expect(server.stats.calls).toEqual(["tables.get"]);
});

test("notes of megabytes are written with several statements, for nothing", async () => {
  const notes = Array.from({ length: 60 }, (_, index) =>
    noteOf(String(index).padStart(2, "0"), {
      body: `é"\n${index} `.repeat(noteBytesMax).slice(0, noteBytesMax / 2),
    }),
  );
  await memory().append(notes);
  expect(server.stats.queries.length).toBeGreaterThan(1);
  expect(server.stats.queries.every(({ bytesBilled }) => bytesBilled === 0)).toBe(true);
  expect(inOrder(await memory().read())).toEqual(notes);
});

test("no notes are no statement", async () => {
  await memory().append([]);
  expect(server.stats.calls).toEqual([]);
});

test("where there is no ledger nothing is remembered, and nothing can be", async () => {
  const absent = openLedger(server, "nowhere").memory;
  expect(await absent.read()).toEqual([]);
  await expect(absent.append([noteOf("a")])).rejects.toMatchObject({ code: "ledger_missing" });
});
