// Goal: nobody reads one number on the page and another one in the terminal or in an alert. Method: at several moments of a run
// the page, `reconcile status --format json` and the metrics of the same daemon are asked, and every count is compared.
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { stateNames } from "../../src/core/grid.ts";
import { samplesOf, metricsOf } from "../support/metrics.ts";
import { tellAll } from "../../src/compose/listeners.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { join } from "node:path";
import { makeShop } from "../commands/in-process.ts";
import { type ServedShop, serveShop } from "./served-shop.ts";

const timeoutMs = 120_000;
const states = stateNames.filter((state) => state !== "unscheduled" && state !== "unexpected");

interface Counts {
  readonly converged: boolean;
  readonly gaps: number;
  /** By processor and state; what there is none of is left out. */
  readonly cells: Readonly<Record<string, number>>;
}

const status = z.object({
  converged: z.boolean(),
  counts: z.record(z.string(), z.record(z.string(), z.number())),
  gaps: z.array(z.unknown()),
});

async function fromCommand({ shop }: ServedShop): Promise<Counts> {
  const { stdout } = await shop.run(["status", "--format", "json"]);
  const { converged, counts, gaps } = status.parse(JSON.parse(stdout));
  const cells = Object.entries(counts).flatMap(([processor, of]) =>
    Object.entries(of).map(([state, count]) => [`${processor} ${state}`, count] as const),
  );
  return { converged, gaps: gaps.length, cells: some(cells) };
}

async function fromMetrics(served: ServedShop): Promise<Counts> {
  const samples = samplesOf(await (await served.get("/metrics")).text());
  const of = (name: string) => samples.filter((sample) => sample.name === name);
  const sum = (name: string) => of(name).reduce((total, { value }) => total + value, 0);
  const cells = of("cells").map(
    ({ labels, value }) => [`${labels["processor"]} ${labels["state"]}`, value] as const,
  );
  return { converged: sum("converged") === 1, gaps: sum("gaps"), cells: some(cells) };
}

/** What stands on the page: the verdict, the key figures, and each processor's cells by asking for it and each state alone. */
async function fromPage(served: ServedShop, processors: readonly string[]): Promise<Counts> {
  const whole = await pageOf(served, "/");
  const cells: (readonly [string, number])[] = [];
  for (const processor of processors) {
    const page = await pageOf(served, `/?processor=${processor}`);
    const labels = [...page.matchAll(/<td class="(\w+)[^"]*"><a href="\/cells\/[^"]*" aria-label="\1, /g)];
    for (const state of states) {
      cells.push([`${processor} ${state}`, labels.filter(([, label]) => label === state).length]);
    }
  }
  for (const state of states) {
    const total = Number(new RegExp(`id="count-${state}">([\\d,]+)<`).exec(whole)?.[1] ?? 0);
    const sum = cells
      .filter(([name]) => name.endsWith(` ${state}`))
      .reduce((all, [, count]) => all + count, 0);
    expect(total, `${state} in the legend`).toBe(sum);
  }
  return {
    converged: whole.includes('<h1 class="verdict converged">'),
    gaps: Number(/id="fact-gaps">([\d,]+)</.exec(whole)?.[1]),
    cells: some(cells),
  };
}

async function pageOf(served: ServedShop, address: string): Promise<string> {
  return (await served.get(address)).text();
}

function some(cells: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  return Object.fromEntries(cells.filter(([, count]) => count > 0));
}

test(
  "page, command and metrics count the same: before a run, blind in one eye, half-way and converged",
  async () => {
    const shop = await makeShop();
    const config = await loadConfig({ file: join(shop.folder, "pipeline.yaml"), target: null, env: {} });
    const metrics = metricsOf(config.pipeline);
    const served = await serveShop({
      shop,
      daemon: { listener: tellAll([metrics.listener]) },
      http: { metrics },
    });
    const agreed = async (): Promise<Counts> => {
      const command = await fromCommand(served);
      // The daemon works out what it shows at its own pace, so a look may show a moment later.
      await vi.waitFor(
        async () => {
          expect(await fromMetrics(served)).toEqual(command);
          expect(await fromPage(served, ["orders", "revenue"])).toEqual(command);
        },
        { timeout: 30_000, interval: 100 },
      );
      return command;
    };
    const lookAgain = async () => {
      const looked = served.looked();
      served.tick();
      await looked;
    };
    try {
      await served.firstLook;
      expect(await agreed()).toMatchObject({ converged: false, gaps: 2 });
      await shop.warehouse.write(["alter table shop.revenue rename to gone"]);
      await lookAgain();
      expect((await agreed()).cells["revenue unknown"]).toBeGreaterThan(0);
      await shop.warehouse.write([
        "alter table shop.gone rename to revenue",
        "delete from shop.revenue where day < date '2024-01-03'",
      ]);
      await shop.run(["--once", "--quiet", "--processor", "orders"]);
      await lookAgain();
      expect(await agreed()).toMatchObject({ converged: false });
      await shop.run(["--once", "--quiet"]);
      await lookAgain();
      expect(await agreed()).toMatchObject({ converged: true, gaps: 0 });
    } finally {
      await served.remove();
    }
  },
  timeoutMs,
);
