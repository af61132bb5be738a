// The NBA example with all its stories, on a local BigQuery and for several daemons: repairs by SQL, which are fenced, and by HTTP.
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { demoTables, exampleDirectory } from "../../src/demo/tables.ts";
import { isScalar, parseDocument, visit } from "yaml";
import { damageNba, nbaDates } from "../support/bigquery/nba-damage.ts";
import { readTables, withNbaWarehouse } from "../support/bigquery/nba.ts";
import { type BigQueryServer, startBigQuery } from "../support/bigquery/server.ts";
import type { TableDefinition } from "../support/bigquery/tables.ts";
import { type Scraper, scraped, startScraper } from "./scraper.ts";

/** By table. */
export type Digests = Readonly<Record<string, string>>;

export interface League {
  readonly bigquery: BigQueryServer;
  readonly scraper: Scraper;
  /** Where the pipeline's file is. */
  readonly folder: string;
  /** What each process of it needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes the pipeline's file; without an URL of Redis a process works alone. */
  configure(redis: { readonly url: string; readonly lockUrls: readonly string[] } | null): Promise<void>;
  /** What each table holds, as a digest of its rows without the times at which they were written. */
  digests(): Promise<Digests>;
  remove(): Promise<void>;
}

/**
 * A start whose worker neither ends it nor is provably dead, as one that stands still, is lost after its time and a minute.
 * Whoever kills workers every second sees cells fail more often than any pipeline ought to allow, and must not wait for them.
 */
const repairDefaults = {
  max_attempts: 100,
  backoff: ["200ms"],
  timeout: "20s",
  timeout_per_date: "5s",
  max_dates_per_job: 2,
  concurrency: 2,
};
const daemonSettings = {
  daemon: { cron: "*/5 * * * *", shutdown_grace: "10s" },
  limits: { jobs_max: 6 },
  safety: { circuit_breaker: { failures: 1000, cool_off: "1s" } },
};

let tables: Promise<readonly TableDefinition[]> | null = null;

/** The broken tables; computed once per file of tests. */
function brokenTables(): Promise<readonly TableDefinition[]> {
  tables ??= withNbaWarehouse(nbaDates, async (connection) => {
    await damageNba(connection);
    return readTables(connection);
  });
  return tables;
}

export async function startLeague(): Promise<League> {
  const definitions = await brokenTables();
  const bigquery = await startBigQuery({ projectId: "nba-offline", location: "US" });
  bigquery.define(...definitions);
  const scraper = await startScraper(bigquery, definitions);
  const folder = await mkdtemp(join(tmpdir(), "gap-reconciler-storm-"));
  await cp(fileURLToPath(exampleDirectory), folder, { recursive: true });
  const example = await readFile(join(folder, "pipeline.yaml"), "utf8");
  return {
    bigquery,
    scraper,
    folder,
    env: { GAP_RECONCILER_TARGET: "offline", BIGQUERY_ENDPOINT: bigquery.url },
    configure: (redis) => writeFile(join(folder, "pipeline.yaml"), configOf(example, scraper, redis)),
    async digests() {
      const entries: (readonly [string, string])[] = [];
      for (const { processor, dataset, dateColumn } of demoTables) {
        const table = definitions.find(({ name }) => name === `${dataset}.${processor}`);
        const columns = Object.entries(table?.columns ?? {}).flatMap(([name, type]) =>
          type === "TIMESTAMP" ? [] : [name],
        );
        const rows = await bigquery.run(
          `select ${columns.join(", ")} from ${dataset}.${processor} where ${dateColumn} >= '2000-01-01'`,
        );
        const text = rows
          .map((row) => JSON.stringify(row))
          .toSorted()
          .join("\n");
        entries.push([processor, `${rows.length} rows, ${createHash("sha256").update(text).digest("hex")}`]);
      }
      return Object.fromEntries(entries);
    },
    async remove() {
      await Promise.all([scraper.stop(), bigquery.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The example with its target `offline` as the storms need it. */
function configOf(
  example: string,
  { url }: Scraper,
  redis: { readonly url: string; readonly lockUrls: readonly string[] } | null,
): string {
  const document = parseDocument(example);
  const http = {
    url,
    body: { processor: "{{processor}}", start_date: "{{start_date}}", end_date: "{{end_date}}" },
  };
  const settings = {
    ...daemonSettings,
    redis: redis === null ? null : { url: redis.url, lock_urls: redis.lockUrls },
  };
  document.setIn(["defaults", "repair"], repairDefaults);
  for (const [key, value] of Object.entries(settings)) document.setIn(["targets", "offline", key], value);
  // Edges that may be passed over, or that one of two satisfies, let the tables depend on the order in which things went.
  visit(document, {
    Pair(_, { key }) {
      const isSoft = isScalar(key) && (key.value === "mode" || key.value === "wait");
      return isSoft ? visit.REMOVE : undefined;
    },
  });
  const sources = ["nbac_gamebook_player_stats", "bdl_player_boxscores"];
  document.setIn(["processors", "player_game_summary", "depends_on"], sources);
  for (const name of scraped) {
    document.setIn(["targets", "offline", "processors", name], { repair: { sql_file: null, http } });
  }
  return document.toString();
}
