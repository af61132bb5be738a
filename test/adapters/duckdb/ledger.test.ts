import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDuckDbLedger } from "../../../src/adapters/duckdb/ledger.ts";
import { describeLedgerContract } from "../../contract/ledger.ts";

describeLedgerContract("a DuckDB file", () => {
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  const path = join(folder, "ledger.duckdb");
  return Promise.resolve({
    open: () => createDuckDbLedger({ path }),
    cleanup: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  });
});
