// A process that reads a ledger and tries to write it, and prints what came of it as JSON. Argument: the ledger file.
import { createDuckDbLedger } from "../../../src/adapters/duckdb/ledger.ts";
import { ReconcilerError } from "../../../src/errors.ts";
import { noon, startOf } from "../../contract/ledger-records.ts";

const path = process.argv[2] ?? "";
const codeOf = (error: unknown): string => (error instanceof ReconcilerError ? error.code : String(error));
const ledger = createDuckDbLedger({ path });
const read = await ledger.read(noon).then((records) => records.unfinished.length, codeOf);
const write = await ledger.recordStart(startOf("b")).then(() => "recorded", codeOf);
const create = await createDuckDbLedger({ path: `${path}.other` })
  .create()
  .then(() => "made", codeOf);
process.stdout.write(JSON.stringify({ read, write, create }));
