import { PassThrough } from "node:stream";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { buildProgram } from "../../src/commands/program.ts";
import type { Surroundings } from "../../src/commands/shared.ts";
import { makeTempWarehouse, type TempWarehouse } from "../support/duckdb.ts";
import { shopHead } from "../support/shop-pipeline.ts";

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** What a person types at a terminal; null hangs up instead. */
interface Answer {
  readonly answer: string | null;
}

export interface Shop {
  readonly warehouse: TempWarehouse;
  readonly folder: string;
  /** Runs a command in this process; what it throws is thrown. */
  run(args: readonly string[], terminal?: Answer): Promise<CommandResult>;
}

const tables = [
  "create schema shop",
  "create table shop.days as select day::date as day from range(date '2024-01-01', date '2024-01-08', interval 1 day) as r (day)",
  "create table shop.till as select day, number as order_id from shop.days cross join range(1, 21) as r (number)",
  "create table shop.orders as select * from shop.till where day <> date '2024-01-03'",
  "create table shop.revenue as select day, count(*) as orders from shop.orders group by day",
];

export const shopYaml = `${shopHead}processors:
  orders:
    table: shop.orders
    date_column: day
    expect: { rows: { min: 10 }, unique_keys: [[day, order_id]] }
    repair: { sql_file: orders.sql }
  revenue:
    table: shop.revenue
    date_column: day
    depends_on: [orders]
    repair: { sql_file: revenue.sql }
`;

const files: Readonly<Record<string, string>> = {
  "orders.sql": "select * from shop.till where day between $start_date and $end_date",
  "revenue.sql":
    "select day, count(*) as orders from shop.orders where day between $start_date and $end_date group by day",
};

/** A shop whose third day was never loaded; the caller removes its warehouse. */
export async function makeShop(
  yaml = shopYaml,
  more: { readonly statements?: readonly string[]; readonly files?: Readonly<Record<string, string>> } = {},
): Promise<Shop> {
  const warehouse = await makeTempWarehouse([...tables, ...(more.statements ?? [])]);
  const { folder } = warehouse;
  const config = join(folder, "pipeline.yaml");
  for (const [name, text] of Object.entries({ ...files, ...more.files, "pipeline.yaml": yaml })) {
    await writeFile(join(folder, name), text);
  }
  return {
    warehouse,
    folder,
    run: (args, terminal) => runCommand([...args, "--config", config], terminal),
  };
}

async function runCommand(args: readonly string[], terminal?: Answer): Promise<CommandResult> {
  const isTTY = terminal !== undefined;
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let code = 0;
  const surroundings: Surroundings = {
    env: { PATH: process.env["PATH"], USER: "ann", NO_COLOR: "1", COLUMNS: "200" },
    stdin: Object.assign(stdin, { isTTY, fd: 0 }) as unknown as Surroundings["stdin"],
    stdout: Object.assign(stdout, { isTTY, columns: 200 }) as unknown as Surroundings["stdout"],
    stderr: Object.assign(stderr, { isTTY, columns: 200 }) as unknown as Surroundings["stderr"],
    signal: new AbortController().signal,
    exitAfterSignalWith: () => undefined,
    exitWith: (wanted) => {
      code = wanted;
    },
  };
  if (terminal !== undefined) stdin.end(terminal.answer === null ? "" : `${terminal.answer}\n`);
  await buildProgram(surroundings).parseAsync([...args], { from: "user" });
  return { stdout: textOf(stdout), stderr: textOf(stderr), code };
}

function textOf(stream: PassThrough): string {
  const read: unknown = stream.read();
  return Buffer.isBuffer(read) ? read.toString("utf8") : "";
}
