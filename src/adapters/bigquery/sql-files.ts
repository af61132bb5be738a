import { sqlFiles } from "../sql/sql-files.ts";

export const loadSql = sqlFiles("bigquery");
