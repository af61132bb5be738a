import { describeWarehouseContract } from "../../contract/warehouse.ts";
import type { ColumnType } from "../../contract/warehouse-fixture.ts";
import { startBigQuery } from "../../support/bigquery/server.ts";
import { openWarehouse, readRows } from "./open.ts";

const types: Record<ColumnType, string> = {
  string: "STRING",
  int: "INT64",
  float: "FLOAT64",
  bool: "BOOL",
  date: "DATE",
  timestamp: "DATETIME",
  timestamptz: "TIMESTAMP",
};

describeWarehouseContract("BigQuery", { isFile: false }, async (tables) => {
  const server = await startBigQuery();
  for (const { name, columns, rows = [] } of tables) {
    const typed = Object.entries(columns).map(([column, type]) => [column, types[type]]);
    server.define({ name, columns: Object.fromEntries(typed), rows });
  }
  return {
    open: (pipeline) => openWarehouse(server, pipeline),
    read: (sql) => readRows(server, sql),
    cleanup: () => server.stop(),
  };
});
