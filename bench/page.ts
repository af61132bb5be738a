/**
 * What the status page costs for 200 processors × 1,825 dates, 10 % of the cells gaps, zoomed out to all of them: the
 * time to make it and its bytes. Baseline: a table with an element for each cell, as a page would be that merges nothing and
 * has no parts.
 */
import { stateName } from "../src/core/grid.ts";
import { loadPageAssets } from "../src/http/page/assets.ts";
import { renderPage } from "../src/http/page/page.ts";
import { parsePageQuery } from "../src/http/page/query.ts";
import { atOnce } from "../test/support/at-once.ts";
import { liveViewOf } from "../test/support/live-view.ts";
import { tableSchedule } from "../test/support/pipeline.ts";
import { type Benchmark, compare, medians } from "./measure.ts";

const processors = 200;
const dates = 1_825;
const phases = 10;
const gapShare = 0.1;
const rounds = 15;
const bytesPerKiB = 1024;

export async function pageBenchmarks(): Promise<readonly Benchmark[]> {
  const moment = makeMoment();
  const options = { assets: loadPageAssets(), hasActions: true };
  const query = parsePageQuery(new URLSearchParams());
  const page = () => atOnce(renderPage(moment, query, options));
  const plain = () => plainTable(moment.view);
  const kibibytes = (text: string) => Math.round(Buffer.byteLength(text) / bytesPerKiB);
  return [
    await compare(
      "page",
      "ms",
      rounds,
      () => check(page()),
      () => check(plain()),
    ),
    medians("page_size", "KiB", [kibibytes(page())], [kibibytes(plain())]),
  ];
}

function plainTable({ sight }: ReturnType<typeof makeMoment>["view"]): string {
  if (sight === null) throw new Error("the view has no sight");
  const { axis, pipeline, states } = sight.assessment.grid;
  let table = "<table>";
  for (const { name, index } of pipeline.processors) {
    table += `<tr><th>${name}</th>`;
    for (let position = 0; position < axis.length; position++) {
      const state = stateName(states[index * axis.length + position] ?? 0);
      table += `<td class="${state}"><a href="/cells/${name}/${position}" aria-label="${state}">x</a></td>`;
    }
    table += "</tr>";
  }
  return `${table}</table>`;
}

/** Either shows gaps, or it measured something else. */
function check(markup: string): void {
  if (!markup.includes('<td class="missing'))
    throw new Error("expected missing cells on the page, found none");
}

function makeMoment() {
  const name = (index: number) => `processor_${index}`;
  const perPhase = processors / phases;
  const all = Array.from({ length: processors }, (_, index) => index);
  const sketches = all.map((index) => {
    const phase = Math.floor(index / perPhase);
    return [
      name(index),
      { phase: String(phase), needs: phase === 0 ? [] : [name(index - perPhase)] },
    ] as const;
  });
  const seen = all.map((index) => {
    const pattern = Array.from({ length: dates }, (_, date) => (isGap(index, date) ? "." : "#")).join("");
    return [name(index), pattern] as const;
  });
  return liveViewOf({
    start: "2019-01-01",
    schedules: [tableSchedule()],
    dates: { default: "s".repeat(dates) },
    processors: Object.fromEntries(sketches),
    seen: Object.fromEntries(seen),
  });
}

/** Gaps are scattered, and stand in the same places on every machine. */
function isGap(processor: number, date: number): boolean {
  const mixed = Math.imul(Math.imul(processor + 1, 0x9e3779b1) ^ Math.imul(date + 1, 0x85ebca77), 0xc2b2ae3d);
  return (mixed >>> 8) % 1000 < gapShare * 1000;
}
