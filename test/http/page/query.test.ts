import { describe, expect, test } from "vitest";
import { cellHref, pageHref, parsePageQuery } from "../../../src/http/page/query.ts";

const parse = (text: string) => parsePageQuery(new URLSearchParams(text));

describe("the address of the page", () => {
  test("says all that is shown, and comes back the same", () => {
    const address = "/?phase=2&phase=3&processor=raw&state=missing&start=2024-01-05&end=2024-02-01&part=2";
    const query = parse(address.slice(2));
    expect(query).toMatchObject({ phases: ["2", "3"], states: ["missing"], part: 2, problems: [] });
    expect(pageHref(query)).toBe(address);
    expect(pageHref(parse(""))).toBe("/");
  });

  test.each([
    ["start=yesterday", 'start: expected a date as YYYY-MM-DD, found "yesterday"'],
    ["end=2023-02-30", 'end: expected a date as YYYY-MM-DD, found "2023-02-30"'],
    ["state=green", 'state: there is no state "green"'],
    ["state=unscheduled", 'state: there is no state "unscheduled"'],
    ["start=2024-02-01&end=2024-01-01", "end 2024-01-01 is before start 2024-02-01: they were swapped"],
  ])("with %s tells what was wrong and shows the rest", (text, problem) => {
    expect(parse(text).problems).toEqual([problem]);
  });

  test("shows a swapped range the right way round", () => {
    expect(parse("start=2024-02-01&end=2024-01-01")).toMatchObject({
      start: "2024-01-01",
      end: "2024-02-01",
    });
  });

  test.each(["0", "-1", "1.5", "x", "1e99"])("takes part=%s for the first part", (part) => {
    expect(parse(`part=${part}`).part).toBe(1);
  });

  test("is read up to a bound, as it is somebody else's text", () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `processor=p${index}`).join("&");
    expect(parse(many).processors).toHaveLength(200);
    expect(parse(`start=${"9".repeat(9_000)}`).problems[0]?.length).toBeLessThan(200);
  });

  test("of a cell names it safely", () => {
    expect(cellHref("a/b c", "2024-01-05")).toBe("/cells/a%2Fb%20c/2024-01-05");
  });
});
