// Starts the local BigQuery with six weeks of the NBA example, some of it broken, so that the BigQuery mode can be tried without
// an account: npm run bigquery:local [-- --port N]. It holds everything in memory, and nothing is left when it ends.
import { once } from "node:events";
import { parseArgs } from "node:util";
import { messageOf } from "../src/errors.ts";
import { damageNba, nbaDates } from "../test/support/bigquery/nba-damage.ts";
import { readTables, withNbaWarehouse } from "../test/support/bigquery/nba.ts";
import { startBigQuery } from "../test/support/bigquery/server.ts";

/** Those of the target `offline` in examples/nba/pipeline.yaml. */
const project = { projectId: "nba-offline", location: "US" };
const defaultPort = 9050;

function portOf(args: readonly string[]): number | null {
  try {
    const { values } = parseArgs({ args: [...args], options: { port: { type: "string" } } });
    const port = Number(values.port ?? defaultPort);
    return Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : null;
  } catch {
    return null;
  }
}

async function listen(port: number): Promise<void> {
  // First of all: a port in use is said at once.
  const server = await startBigQuery({ ...project, port });
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => stop.abort());
  try {
    const { tables, stories } = await withNbaWarehouse(nbaDates, async (connection) => {
      const stories = await damageNba(connection);
      return { tables: await readTables(connection), stories };
    });
    server.define(...tables);
    if (!stop.signal.aborted) {
      console.log(greeting(server.url, stories));
      await once(stop.signal, "abort");
    }
    console.log("stopped; nothing is left");
  } finally {
    await server.stop();
  }
}

function greeting(url: string, stories: readonly string[]): string {
  const isDefault = url.endsWith(`:${defaultPort}`);
  return `A BigQuery with the NBA example, ${nbaDates.start} to ${nbaDates.end}, listens on ${url}. Ctrl-C stops it.

What went wrong in its past:
${stories.map((story) => `  ${story}`).join("\n")}

Try in another terminal:
  export GAP_RECONCILER_TARGET=offline${isDefault ? "" : ` BIGQUERY_ENDPOINT=${url}`}
  npm run build
  node dist/cli.js validate --connect --create --config examples/nba/pipeline.yaml
  node dist/cli.js status --config examples/nba/pipeline.yaml
  node dist/cli.js plan --config examples/nba/pipeline.yaml
  node dist/cli.js --once --config examples/nba/pipeline.yaml`;
}

function explained(error: unknown, port: number): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  const another = "take another port: npm run bigquery:local -- --port 0";
  if (code === "EADDRINUSE")
    return `Port ${port} is in use, perhaps by another bigquery:local. End that one, or ${another}`;
  if (code === "EACCES") return `This user may not listen on port ${port}: ${another}`;
  return messageOf(error);
}

const port = portOf(process.argv.slice(2));
if (port === null) {
  console.error("usage: npm run bigquery:local [-- --port N], where 0 takes any free port");
  process.exitCode = 1;
} else {
  await listen(port).catch((error: unknown) => {
    console.error(explained(error, port));
    process.exitCode = 1;
  });
}
