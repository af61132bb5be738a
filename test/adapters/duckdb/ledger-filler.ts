// A process that writes cycles to a ledger until one is refused, and prints the refusal as JSON. Argument: the ledger file.
import { createDuckDbLedger } from "../../../src/adapters/duckdb/ledger.ts";
import { ReconcilerError } from "../../../src/errors.ts";
import { cycleOf, eventOf } from "../../contract/ledger-records.ts";

const ledger = createDuckDbLedger({ path: process.argv[2] ?? "" });
try {
  for (let index = 0; index < 100; index += 1) {
    const events = Array.from({ length: 20_000 }, () =>
      eventOf({ state: `${Math.random()}${Math.random()}` }),
    );
    await ledger.recordCycle(cycleOf(`c${index}`), events, []);
  }
} catch (error) {
  if (!(error instanceof ReconcilerError)) throw error;
  process.stdout.write(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
}
