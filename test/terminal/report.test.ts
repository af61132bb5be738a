import { describe, expect, test } from "vitest";
import { completionReport, type ReportDocument } from "../../src/core/completion-report.ts";
import { renderReportHtml } from "../../src/terminal/report-html.ts";
import { renderReportMarkdown } from "../../src/terminal/report-markdown.ts";
import { percent } from "../../src/terminal/report-text.ts";
import { tableSchedule } from "../support/pipeline.ts";
import { assessed, type Scene } from "../support/sight.ts";
import { golden } from "./lines.ts";

const scene: Scene = {
  schedules: [tableSchedule()],
  dates: { default: "aaaabbbb" },
  processors: { raw: { phase: "2" }, made_of_raw: { phase: "4", bootstrapDays: 1 } },
  seen: { raw: "##.#####", made_of_raw: ".###.###" },
};

function reportOf(now: Scene, before: Scene | null = null): ReportDocument {
  return completionReport({
    assessment: assessed(now),
    target: "local",
    before: before === null ? null : { kind: "assessment", assessment: assessed(before) },
  });
}

const improved = reportOf(scene, { ...scene, seen: { raw: "##.#", made_of_raw: "..##" } });

describe("a report as Markdown", () => {
  test("has seasons, phases and processors, before and now", () => {
    expect(renderReportMarkdown(improved)).toBe(
      golden(`
# Completion of test (local)

2024-01-01 to 2024-01-09, as of 2024-01-09T12:00:00Z.

**Not converged: 1 gap remains. 8 of 9 gaps were closed.**

Compared with 2024-01-09T12:00:00Z: before → now.

| Season | Expected | Exempt | Complete | Gaps | Unknown | Coverage | Quality |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| Season a | 8 | 1 | 5 → 6 | 2 → 1 | 0 | 71.4 % → 85.7 % |  |
| Season b | 8 | 1 | 0 → 7 | 7 → 0 | 0 | 0 % → 100 % |  |
| **Total** | 16 | 2 | 5 → 13 | 9 → 1 | 0 | 35.7 % → 92.8 % |  |

Of all dates, 2 exempt: 2 in the first days of the season.

## Season a

2024-01-01 to 2024-01-04; 1 exempt: 1 in the first days of the season.

| Processor | Expected | Exempt | Complete | Gaps | Unknown | Coverage | Quality |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| **phase 2** | 4 | 0 | 3 | 1 | 0 | 75 % |  |
| \`raw\` | 4 | 0 | 3 | 1 | 0 | 75 % |  |
| **phase 4** | 4 | 1 | 2 → 3 | 1 → 0 | 0 | 66.6 % → 100 % |  |
| \`made_of_raw\` | 4 | 1 | 2 → 3 | 1 → 0 | 0 | 66.6 % → 100 % |  |

## Season b

2024-01-05 to 2024-01-08; 1 exempt: 1 in the first days of the season.

| Processor | Expected | Exempt | Complete | Gaps | Unknown | Coverage | Quality |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| **phase 2** | 4 | 0 | 0 → 4 | 4 → 0 | 0 | 0 % → 100 % |  |
| \`raw\` | 4 | 0 | 0 → 4 | 4 → 0 | 0 | 0 % → 100 % |  |
| **phase 4** | 4 | 1 | 0 → 3 | 3 → 0 | 0 | 0 % → 100 % |  |
| \`made_of_raw\` | 4 | 1 | 0 → 3 | 3 → 0 | 0 | 0 % → 100 % |  |

Coverage is the share of complete cells among those that are expected, due and not exempt, rounded down. Quality is the mean share of good rows of a date, where a quality column says so.
`),
    );
  });

  test("escapes names, so that they are shown as they are", () => {
    const odd = { ...improved, pipeline: "a|b_*c*<d>" };
    expect(renderReportMarkdown(odd)).toContain("# Completion of a\\|b\\_\\*c\\*\\<d\\> (local)\n");
  });
});

describe("a report as HTML", () => {
  const html = renderReportHtml(improved);

  test("stands alone: no script, no link, nothing loaded from elsewhere", () => {
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).not.toMatch(/<script|<link|<img|\bsrc=|href=|@import|url\(/i);
    expect(html).toContain("prefers-color-scheme: dark");
  });

  test("escapes what it shows", () => {
    const odd = renderReportHtml({ ...improved, pipeline: `<script>alert("x")&'` });
    expect(odd).toContain(
      "<title>Completion of &lt;script&gt;alert(&quot;x&quot;)&amp;&#39; (local)</title>",
    );
    expect(odd).not.toContain("<script>");
  });

  test("closes every element that it opens", () => {
    const open: string[] = [];
    const mismatches: string[] = [];
    for (const [tag, close, name = ""] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (name === "meta") continue;
      if (close === "") open.push(name);
      else if (open.pop() !== name) mismatches.push(tag);
    }
    expect({ open, mismatches }).toEqual({ open: [], mismatches: [] });
  });

  test("shows the same numbers as the Markdown", () => {
    expect(html).toContain('<tr><th scope="row">made_of_raw</th>');
    expect(html).toContain('<td class="bad">');
    expect(html).toContain('<i style="width: 75%"></i></span>75 %</td>');
  });
});

describe("a report's words", () => {
  test("say that nothing is missing, or that there is more than before", () => {
    const full: Scene = { ...scene, seen: { raw: "########", made_of_raw: ".###.###" } };
    expect(renderReportMarkdown(reportOf(full))).toContain("**Converged: Nothing is missing.**");
    expect(renderReportMarkdown(reportOf(scene))).toContain("**Not converged: 1 gap remains.**");
    expect(renderReportMarkdown(reportOf(scene, full))).toContain("There is 1 gap more than before.");
  });

  test.each([
    [null, "–"],
    [1, "100 %"],
    [0.9999, "99.9 %"],
    [0.5, "50 %"],
    [0.57, "57 %"],
    [0, "0 %"],
  ])("%s is %s", (value, text) => {
    expect(percent(value)).toBe(text);
  });
});
