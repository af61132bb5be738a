import { expect, test } from "vitest";
import { explainCell } from "../../../src/core/explain.ts";
import { loadPageAssets } from "../../../src/http/page/assets.ts";
import { renderCellPage } from "../../../src/http/page/page.ts";
import type { AttemptDocument } from "../../../src/reconcile/ports/cell-document.ts";
import { parseIsoDate, toDay } from "../../../src/core/iso-date.ts";
import { decision } from "../../support/ledger.ts";
import { atOnce } from "../../support/at-once.ts";
import { liveViewOf } from "../../support/live-view.ts";
import { assessed, type Scene } from "../../support/sight.ts";

const assets = loadPageAssets();
const hostile = `<script>alert(1)</script>`;

const scene: Scene = {
  processors: {
    raw: { phase: "2" },
    features: { phase: "4", needs: ["raw"] },
    scores: { needs: ["features"] },
  },
  seen: { raw: "##.#", features: "##.#", scores: "##.#" },
};

interface Told {
  readonly attempts?: readonly AttemptDocument[];
  readonly sql?: string | null;
}

const query = "select count(*) as n\nfrom raw where n < 5";

function cell(of: Scene, name: string, date: string, { attempts = [], sql = query }: Told = {}): string {
  const assessment = assessed(of);
  const processor = assessment.compiled.byName.get(name);
  if (processor === undefined) throw new RangeError(`there is no processor ${name}`);
  const explanation = explainCell(
    assessment,
    processor,
    toDay(parseIsoDate(date)) - assessment.grid.axis.first,
  );
  const document = {
    ...explanation,
    schema_version: 1 as const,
    pipeline: "test",
    target: null,
    as_of: "2024-01-05T12:00:00Z",
    sql,
    attempts,
  };
  return atOnce(renderCellPage(liveViewOf(of).view, document, { assets, hasActions: false }));
}

test("a cell says what is expected, what was seen and by which query, and what happens next", () => {
  const markup = cell(scene, "raw", "2024-01-03");
  expect(markup).toContain("missing; ready");
  expect(markup).toContain("at least 1 row");
  expect(markup).toContain("0 rows");
  expect(markup).toContain("from raw where n &lt; 5");
  expect(markup).toContain("it is repaired by the next run");
});

test("a blocked cell leads to its root cause and to each cell between, as links", () => {
  const markup = cell(scene, "scores", "2024-01-03");
  expect(markup).toContain(
    '<h2>Root causes</h2>\n<ul class="plain"><li><span class="glyph missing" aria-hidden="true">✗</span> <a href="/cells/raw/2024-01-03">raw 2024-01-03</a>',
  );
  expect(markup).toContain('<a href="/cells/features/2024-01-03">features 2024-01-03</a> missing, blocked');
});

test("attempts stand newest first with the end of the log of the last one unfolded, and none of it is markup", () => {
  const record = (number: number): AttemptDocument => ({
    repair_id: `r${number}`,
    attempt: number,
    started_at: `2024-01-0${number + 3}T12:00:00Z`,
    ended_at: `2024-01-0${number + 3}T12:01:30Z`,
    outcome: "failed",
    charged: true,
    error_code: "exit_1",
    message: `${hostile} ${number}`,
    log_tail: `${Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n")}\n\u001b[31m${hostile}\u001b[0m`,
    dates: [parseIsoDate("2024-01-03")],
    fencing_token: number,
    worker: "w",
  });
  const markup = cell(scene, "raw", "2024-01-03", { attempts: [record(1), record(2)] });
  expect(markup.indexOf("attempt 2:")).toBeLessThan(markup.indexOf("attempt 1:"));
  expect(markup.match(/<details open>/g)).toHaveLength(1);
  expect(markup).toContain("line 39\n&lt;script&gt;alert(1)&lt;/script&gt;</pre>");
  expect(markup).not.toContain("line 5\n");
  expect(markup).not.toContain("<script>");
  expect(markup).not.toContain("\u001b");
});

test("a waiver shows who, until when and why, and a script in its reason stays text", () => {
  const waived = decision("waive", { processors: ["raw"], start: "2024-01-03", end: "2024-01-03" });
  const waiver = { owner: `${hostile} team`, expires: null, downstream: "exempt" } as const;
  const decisions = [{ ...waived, reason: hostile, waiver }];
  const markup = cell({ ...scene, ledger: { decisions } }, "raw", "2024-01-03");
  expect(markup).toContain(
    "by &lt;script&gt;alert(1)&lt;/script&gt; team for ever, by a person&#39;s decision: &lt;script&gt;",
  );
  expect(markup).not.toContain("<script>");
});

test("a cell whose query failed says so, and shows no rows as if they had been counted", () => {
  const markup = cell({ ...scene, seen: { ...scene.seen, raw: null } }, "raw", "2024-01-03");
  expect(markup).toContain("Nothing: the query failed: permission: denied");
  expect(markup).toContain("The query that sees it");
  expect(markup).not.toContain("0 rows");
});

test("a cell whose query cannot be told, as its table is gone, says why without it", () => {
  const markup = cell({ ...scene, seen: { ...scene.seen, raw: null } }, "raw", "2024-01-03", { sql: null });
  expect(markup).toContain("Nothing: the query failed: permission: denied");
  expect(markup).not.toContain("The query that sees it");
});
