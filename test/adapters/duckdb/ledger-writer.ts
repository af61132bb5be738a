// A process that writes to a ledger without end and prints what it was told is recorded; to be killed by a test.
// Arguments: ledger file, a word that no other writer has.
import { createDuckDbLedger } from "../../../src/adapters/duckdb/ledger.ts";
import { cellOf, cycleOf, endOf, eventOf, startOf } from "../../contract/ledger-records.ts";

const [path = "", word = ""] = process.argv.slice(2);
const ledger = createDuckDbLedger({ path });
const cells = Array.from({ length: 50 }, (_, index) => cellOf({ processor: `p${index}` }));
for (let index = 0; ; index += 1) {
  const id = `${word}-${index}`;
  await ledger.recordStart(startOf(id));
  process.stdout.write(`start ${id}\n`);
  await ledger.recordEnd(endOf(id, { cells }));
  process.stdout.write(`end ${id}\n`);
  const events = cells.map(({ processor }) => eventOf({ processor, cycleId: id, state: id }));
  await ledger.recordCycle(cycleOf(id), events, []);
  process.stdout.write(`cycle ${id}\n`);
}
