// A process that makes one ledger after the other until it is killed, and says when it begins. Argument: the folder.
import { join } from "node:path";
import { createDuckDbLedger } from "../../../src/adapters/duckdb/ledger.ts";

process.stdout.write("begins\n");
for (let index = 0; ; index += 1) {
  await createDuckDbLedger({ path: join(process.argv[2] ?? "", `${index}.duckdb`) }).create();
}
