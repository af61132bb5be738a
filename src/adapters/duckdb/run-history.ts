import type { RunHistoryReading, RunHistoryRequest } from "../../reconcile/ports.ts";
import { readOrFail, runHistoryTexts, runsOf } from "../sql/run-history.ts";
import type { Catalog } from "./catalog.ts";
import { boundRange, datedSource, instantMs } from "./dates.ts";
import { listValue } from "./node-api.ts";
import { dateParameter, type RunLimits, type Session } from "./session.ts";
import { loadSql } from "./sql-files.ts";
import { quoteIdentifier } from "./sql-text.ts";

/** The last runs that others recorded. @throws ReconcilerError `interrupted` when called off */
export function readRunHistory(
  session: Session,
  catalog: Catalog,
  request: RunHistoryRequest,
  timezone: string,
  limits: RunLimits,
): Promise<RunHistoryReading> {
  const { spec, names, range, since } = request;
  return readOrFail(async () => {
    const source = catalog.table(spec.table);
    const dated = datedSource(source, spec, spec.where, boundRange, timezone);
    const texts = runHistoryTexts(request, dated, {
      toText: ({ name }) => `${quoteIdentifier(name)}::varchar`,
      instantMs: (column) =>
        instantMs(quoteIdentifier(column.name), column, source, {
          timezone,
          columnTimezone: spec.columnTimezone,
        }),
      noText: "null::varchar",
      noNumber: "null::bigint",
    });
    const rows = await session.run(
      loadSql("read-run-history", texts),
      {
        start_date: dateParameter(range.start),
        end_date: dateParameter(range.end),
        processors: listValue([...names]),
        since: BigInt(since),
      },
      limits,
    );
    return runsOf(rows, spec);
  });
}
