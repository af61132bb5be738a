import { describe, expect, test } from "vitest";
import { parseIsoDate } from "../../../src/core/iso-date.ts";
import { loadPageAssets } from "../../../src/http/page/assets.ts";
import { renderPage } from "../../../src/http/page/page.ts";
import { parsePageQuery } from "../../../src/http/page/query.ts";
import { atOnce } from "../../support/at-once.ts";
import { decision, instant } from "../../support/ledger.ts";
import { liveViewOf } from "../../support/live-view.ts";
import type { Scene } from "../../support/sight.ts";

const assets = loadPageAssets();
const hostile = `<script>alert(1)</script><img src=x onerror=alert(1)>"'`;

const whole: Scene = { processors: { raw: { phase: "2" } }, seen: { raw: "####" } };
const broken: Scene = {
  processors: { raw: { phase: "2" }, features: { phase: "4", needs: ["raw"] } },
  seen: { raw: "##.#", features: "##.." },
};

function page(
  scene: Scene,
  changes: Parameters<typeof liveViewOf>[1] = {},
  { address = "", hasActions = false } = {},
): string {
  const query = parsePageQuery(new URLSearchParams(address));
  return atOnce(renderPage(liveViewOf(scene, changes), query, { assets, hasActions }));
}

const verdictOf = (markup: string) => /<h1 class="verdict ([\w-]+)">(.*?)<\/h1>/.exec(markup)?.slice(1) ?? [];
const factOf = (markup: string, id: string) => new RegExp(`id="fact-${id}"[^>]*>([^<]*)<`).exec(markup)?.[1];

describe("the verdict", () => {
  test("is that of the grid", () => {
    expect(verdictOf(page(whole))[0]).toBe("converged");
    expect(verdictOf(page(broken))[0]).toBe("not-converged");
  });

  test("is never green for what may have changed: it says what was, and for how long nobody knows", () => {
    const [kind, text] = verdictOf(page(whole, { sight: { isStale: true, ageMs: 2_100_000 } }));
    expect(kind).toBe("stale");
    expect(text).toContain('it was converged <span data-age-ms="2100000">35 min</span> ago');
    const markup = page(whole, { sight: { isStale: true } });
    expect(markup).not.toContain("verdict converged");
    expect(markup).toContain("old and may have changed since");
    expect(factOf(markup, "time-left")).toBe("not known now");
    expect(markup).not.toContain("There is no gap");
    expect(markup).toContain("As far as was known: nothing to run");
  });

  test("is that nothing is known before the first look, with what keeps it from ending", () => {
    const failure = {
      code: "warehouse_unavailable",
      message: "connection refused",
      hint: "start it",
      since: 0,
    } as const;
    const markup = page(whole, { sight: null, cycleFailure: failure });
    expect(verdictOf(markup)[0]).toBe("unseen");
    expect(markup).toContain("<code>warehouse_unavailable</code>");
    expect(markup).toContain("connection refused");
    expect(markup).toContain("start it");
    expect(markup).not.toContain("Running:");
  });
});

describe("the key figures", () => {
  test("count gaps, root causes and what could not be observed", () => {
    const markup = page({ ...broken, seen: { ...broken.seen, raw: "##.?" } });
    expect([factOf(markup, "gaps"), factOf(markup, "root-causes"), factOf(markup, "unknown")]).toEqual([
      "3",
      "2",
      "1",
    ]);
  });

  test("say what the look cost where something is billed", () => {
    const scan = { bytesLast24h: 2 ** 40, bytesPerDayMax: 2 ** 41, pricePerTibUsd: 6.25 };
    expect(factOf(page(whole, { scan }), "cost")).toBe("$6.25 (1 TiB of 2 TiB)");
    expect(factOf(page(whole), "cost")).toBe("nothing is billed");
  });

  test("say that a person is waited for where no repair can go on", () => {
    const markup = page({ processors: { raw: { repair: null } }, seen: { raw: "##.#" } });
    expect(factOf(markup, "time-left")).toBe("waits for a person");
    expect(factOf(page(whole), "time-left")).toBe("nothing left");
  });
});

describe("text of others", () => {
  test("never becomes markup, wherever it stands", () => {
    const failure = { code: "warehouse_unavailable", message: hostile, hint: hostile, since: 0 } as const;
    const markup = page(
      { ...broken, inFlight: [{ repair: "raw", dates: ["2024-01-03"] }] },
      {
        pipeline: hostile,
        target: hostile,
        worker: hostile,
        cycleFailure: failure,
        degraded: failure,
        decisions: [{ ...decision("waive", { processors: ["raw"] }), reason: hostile, actor: hostile }],
        queued: [
          {
            id: "x",
            repair: hostile,
            dates: [],
            attempt: 1,
            reason: hostile,
            cycleId: "c",
            epoch: 1,
            state: "queued",
            queuedAt: 0,
          },
        ],
      },
      {
        address: `processor=${encodeURIComponent(hostile)}&start=${encodeURIComponent(hostile)}`,
        hasActions: true,
      },
    );
    expect(markup.match(/<script(?! type="module" src="\/assets\/)/g)).toBeNull();
    expect(markup).not.toContain("<img");
    expect(markup).toContain("&lt;script&gt;alert(1)");
  });
});

describe("the page", () => {
  test("has no script, style or event handler in its markup, and loads only its own files", () => {
    const markup = page(broken, {}, { hasActions: true });
    expect(markup).not.toMatch(/\sstyle=|\son\w+=|<style|javascript:/);
    const sources = [...markup.matchAll(/<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"/g)].map(
      ([, source]) => source,
    );
    expect(sources).toEqual([assets.icon.path, assets.style.path, ...assets.scripts.map(({ path }) => path)]);
  });

  test("leads from a cell to what is known of it, and says each state in words", () => {
    expect(page(broken)).toContain(
      '<td class="missing"><a href="/cells/raw/2024-01-03" aria-label="missing, 2024-01-03">✗</a></td>',
    );
  });

  test("tells what of its address made no sense", () => {
    const markup = page(broken, {}, { address: "processor=rawww&start=soon" });
    expect(markup).toContain("there is no processor or phase &quot;rawww&quot;");
    expect(markup).toContain("expected a date as YYYY-MM-DD, found &quot;soon&quot;");
    expect(markup).toContain("No cell fits these filters.");
  });

  test("has a form for decisions only where a token is configured", () => {
    expect(page(broken, {}, { hasActions: true })).toContain('<form id="action-form"');
    expect(page(broken)).not.toContain('<form id="action-form"');
  });

  test("lists what runs, what waits and what has ended", () => {
    const at = instant("2024-01-04T10:00Z");
    const markup = page(broken, {
      running: [],
      queued: [
        {
          id: "q",
          repair: "features",
          dates: [],
          attempt: 2,
          reason: "1 missing",
          cycleId: "c",
          epoch: 1,
          state: "queued",
          queuedAt: 0,
        },
        {
          id: "r",
          repair: "raw",
          dates: [],
          attempt: 1,
          reason: "1 missing",
          cycleId: "c",
          epoch: 1,
          state: "running",
        },
      ],
      ended: [
        {
          repairId: "e",
          repair: "raw",
          processors: ["raw"],
          dates: [parseIsoDate("2024-01-02"), parseIsoDate("2024-01-03")],
          attempt: 1,
          startedAt: at - 90_000,
          endedAt: at,
          outcome: "timed_out",
          systemic: null,
          errorCode: "exit_75",
          message: "no route",
          cells: [],
        },
      ],
    });
    expect(markup).toContain('<span id="count-queued">1</span>');
    expect(markup).toContain("timed out");
    expect(markup).toContain("exit_75: no route");
    // None of its cells has an outcome, as with a run that was cancelled.
    expect(markup).toContain("2024-01-02 to 2024-01-03");
  });
});

describe("the files of the page", () => {
  test("have addresses that change with what is in them", () => {
    for (const { path, body } of [assets.style, assets.icon, ...assets.scripts]) {
      expect(path).toMatch(/^\/assets\/[\w-]+-[0-9a-f]{12}\.(css|js|svg)$/);
      expect(body.length).toBeGreaterThan(100);
    }
  });

  test("name no other host", () => {
    for (const { body } of [assets.style, ...assets.scripts])
      expect(body.toString()).not.toMatch(/https?:\/\//);
  });
});
