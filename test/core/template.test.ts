import { expect, test } from "vitest";
import {
  renderTemplate,
  templateNames,
  templateProblems,
  templateVariables,
  type TemplateVariables,
} from "../../src/core/template.ts";

const values: TemplateVariables = {
  start_date: "2024-01-30",
  end_date: "2024-01-31",
  end_date_exclusive: "2024-02-01",
  start_date_nodash: "20240130",
  dates: "2024-01-30,2024-01-31",
  season: "2023-24",
  processor: "player_game_summary",
  attempt: "1",
  fencing_token: "17",
  idempotency_key: "r-1",
};

test("every variable of the contract renders, with and without spaces in the braces", () => {
  for (const name of templateVariables) {
    expect(renderTemplate(`<{{${name}}}|{{ ${name} }}>`, values)).toBe(`<${values[name]}|${values[name]}>`);
  }
});

test("text without placeholders comes back as it is, lone braces and JSON included", () => {
  for (const text of ["", "plain", "{a}", '{"a":{"b":1}}', "$& $1 }}"])
    expect(renderTemplate(text, values)).toBe(text);
});

test("a value that looks like a placeholder or a replacement pattern is put in as it is", () => {
  const tricky = { ...values, season: "{{attempt}} $& $1" };
  expect(renderTemplate("{{season}}", tricky)).toBe("{{attempt}} $& $1");
});

test("names are listed once, in order of appearance", () => {
  expect(templateNames("{{end_date}} {{start_date}} {{ end_date }} {{nope}}")).toEqual([
    "end_date",
    "start_date",
    "nope",
  ]);
});

test("an unknown name, an empty one and braces that never close are problems", () => {
  expect(templateProblems("{{start_dat}}", false)).toEqual([{ name: "start_dat", kind: "unknown" }]);
  expect(templateProblems("{{}}", false)).toEqual([{ name: "", kind: "unknown" }]);
  expect(templateProblems("{{start_date}", false)).toEqual([{ name: "start_date}", kind: "unclosed" }]);
  expect(templateProblems("{{toString}}", false)).toEqual([{ name: "toString", kind: "unknown" }]);
  expect(templateProblems("{{start_date}}/{{ dates }}", false)).toEqual([]);
});

test("a field of the answer is allowed only where it is asked for", () => {
  expect(templateProblems("{{response.id}}", true)).toEqual([]);
  expect(templateProblems("{{response.job.id}}", true)).toEqual([]);
  expect(templateProblems("{{response.id}}", false)).toEqual([{ name: "response.id", kind: "unknown" }]);
  expect(templateProblems("{{response}}", true)).toEqual([{ name: "response", kind: "unknown" }]);
  expect(renderTemplate("/jobs/{{response.id}}", { ...values, "response.id": "42" })).toBe("/jobs/42");
});

test("a field that the answer does not have is an error that names it", () => {
  expect(() => renderTemplate("{{response.id}}", values)).toThrow(/\{\{response\.id\}\}, found none/);
  expect(() => renderTemplate("{{toString}}", values)).toThrow(/\{\{toString\}\}/);
});
