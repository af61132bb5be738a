// What a team's scraping service is to the product: repairs by HTTP, of the three raw tables whose rows come from outside.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { exampleDirectory } from "../../src/demo/tables.ts";
import type { BigQueryServer } from "../support/bigquery/server.ts";
import type { TableDefinition } from "../support/bigquery/tables.ts";

export const scraped = ["bdl_player_boxscores", "nbac_gamebook_player_stats", "nbac_team_boxscore"] as const;

/** What the service noted of one request, by its own monotonic clock. */
export interface ScrapeRun {
  readonly processor: string;
  readonly startDate: string;
  /** Included, as the start is. */
  readonly endDate: string;
  readonly beganAt: number;
  /** Null while it runs. */
  endedAt: number | null;
}

export interface Scraper {
  readonly url: string;
  /** In the order in which they began. */
  readonly runs: readonly ScrapeRun[];
  stop(): Promise<void>;
}

/** How long the source takes to answer. */
const scrapeMs = 400;
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const request = z.object({ processor: z.enum(scraped), start_date: date, end_date: date });

/** Ends a request whose caller is gone without having written anything, as such services do. */
export async function startScraper(
  bigquery: BigQueryServer,
  tables: readonly TableDefinition[],
): Promise<Scraper> {
  const runs: ScrapeRun[] = [];
  let lastWrite: Promise<unknown> = Promise.resolve();
  const scrape = async (body: string, gone: AbortSignal): Promise<void> => {
    const { processor, start_date: startDate, end_date: endDate } = request.parse(JSON.parse(body));
    const run: ScrapeRun = { processor, startDate, endDate, beganAt: performance.now(), endedAt: null };
    runs.push(run);
    try {
      await sleep(scrapeMs, undefined, { signal: gone });
      const sql = await writeSql(tables, run);
      // One write at a time: two transactions over one table would be a conflict, of which this service knows nothing.
      const write = lastWrite.then(() => (gone.aborted ? undefined : bigquery.run(sql)));
      lastWrite = write.catch(() => undefined);
      await write;
    } finally {
      run.endedAt = performance.now();
    }
  };
  const server = createServer((incoming, response) => void answer(incoming, response, scrape));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return {
    url: `http://127.0.0.1:${address.port}`,
    runs,
    async stop() {
      server.closeAllConnections();
      server.close();
      await lastWrite;
    },
  };
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  scrape: (body: string, gone: AbortSignal) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    let body = "";
    for await (const chunk of incoming.setEncoding("utf8")) body += String(chunk);
    await scrape(body, gone.signal);
    response.end("{}");
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}

/** Replaces what the dates hold by what the source has. */
async function writeSql(
  tables: readonly TableDefinition[],
  { processor, startDate, endDate }: ScrapeRun,
): Promise<string> {
  const name = `nba_raw.${processor}`;
  const columns = Object.keys(tables.find((table) => table.name === name)?.columns ?? {}).join(", ");
  const file = new URL(`repairs/bigquery/${processor}.sql`, exampleDirectory);
  const select = (await readFile(file, "utf8"))
    .replaceAll("@start_date", `date '${startDate}'`)
    .replaceAll("@end_date", `date '${endDate}'`);
  return `begin transaction;
    delete from ${name} where game_date between '${startDate}' and '${endDate}';
    insert into ${name} (${columns}) select ${columns} from (${select});
    commit transaction`;
}
