import { createDuckDbWarehouse } from "../../../src/adapters/duckdb/warehouse.ts";
import { quoteIdentifier, quoteText } from "../../../src/adapters/duckdb/sql-text.ts";
import { describeWarehouseContract } from "../../contract/warehouse.ts";
import type { CellValue, ColumnType, TableFixture } from "../../contract/warehouse-fixture.ts";
import { makeTempWarehouse } from "../../support/duckdb.ts";

const types: Record<ColumnType, string> = {
  string: "varchar",
  int: "bigint",
  float: "double",
  bool: "boolean",
  date: "date",
  timestamp: "timestamp",
  timestamptz: "timestamptz",
};

function literal(value: CellValue | undefined, type: ColumnType): string {
  if (value === null || value === undefined) return "null";
  return `${quoteText(String(value))}::${types[type]}`;
}

function statementsOf({ name, columns, rows = [] }: TableFixture): string[] {
  const [dataset = "", table = ""] = name.split(".");
  const quoted = `${quoteIdentifier(dataset)}.${quoteIdentifier(table)}`;
  const list = Object.entries(columns);
  const definitions = list.map(([column, type]) => `${quoteIdentifier(column)} ${types[type]}`);
  const values = rows.map(
    (row) => `(${list.map(([, type], index) => literal(row[index], type)).join(", ")})`,
  );
  return [
    `create schema if not exists ${quoteIdentifier(dataset)}`,
    `create table ${quoted} (${definitions.join(", ")})`,
    ...(values.length === 0 ? [] : [`insert into ${quoted} values ${values.join(", ")}`]),
  ];
}

describeWarehouseContract("DuckDB", { isFile: true }, async (tables) => {
  const file = await makeTempWarehouse(tables.flatMap(statementsOf));
  return {
    open: (pipeline) => createDuckDbWarehouse({ path: file.path, ...pipeline }),
    read: (sql) => file.read(sql),
    cleanup: () => file.remove(),
  };
});
