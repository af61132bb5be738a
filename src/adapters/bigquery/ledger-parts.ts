import type {
  Baseline,
  CycleRecord,
  Decision,
  GapEvent,
  RepairEnd,
  RepairStart,
} from "../../core/ledger-records.ts";
import * as json from "../sql/ledger-json.ts";

/** A row of the log: a record, or one part of a record that is too large for one row. */
export interface LogPart {
  readonly kind: RecordKind;
  /** Of the repair, the cycle or the decision. */
  readonly id: string;
  /** From 1 to `parts`. */
  readonly part: number;
  readonly parts: number;
  /** A JSON object; lists of a record go on from part to part, everything else is in the first one. */
  readonly body: string;
}

export type RecordKind = "start" | "end" | "cycle" | "decision";

/** Several rows fit into one request, and a page of rows into one answer. */
export const partBytesMax = 1_000_000;

export function startParts(start: RepairStart): readonly LogPart[] {
  return cut("start", start.repairId, json.startRow(start), {});
}

export function endParts(end: RepairEnd): readonly LogPart[] {
  return cut("end", end.repairId, json.endRow(end), { cells: json.cellRows(end.cells) });
}

export function cycleParts(
  cycle: CycleRecord,
  events: readonly GapEvent[],
  baselines: readonly Baseline[],
): readonly LogPart[] {
  const lists = { gap_events: json.eventRows(events), baselines: json.baselineRows(baselines) };
  return cut("cycle", cycle.cycleId, json.cycleRow(cycle), lists);
}

export function decisionParts(decision: Decision): readonly LogPart[] {
  return cut("decision", decision.id, json.decisionRow(decision), {});
}

/** The same record is always cut in the same places, so that writing it again writes the same rows. */
function cut(
  kind: RecordKind,
  id: string,
  head: object,
  lists: Readonly<Record<string, readonly object[]>>,
): readonly LogPart[] {
  const open = new OpenPart(json.toJson(head).slice(1, -1));
  const bodies: string[] = [];
  for (const [name, items] of Object.entries(lists)) {
    open.beginList(name);
    for (const item of items) {
      const text = json.toJson(item);
      if (!open.hasRoomFor(text)) {
        bodies.push(open.end());
        open.beginList(name);
      }
      open.add(text);
    }
  }
  bodies.push(open.end());
  return bodies.map((body, index) => ({ kind, id, part: index + 1, parts: bodies.length, body }));
}

/** The JSON of a part that is being filled. */
class OpenPart {
  #members: string[];
  #name: string | null = null;
  #items: string[] = [];
  #bytes: number;

  constructor(members: string) {
    this.#members = [members];
    this.#bytes = Buffer.byteLength(members);
  }

  beginList(name: string): void {
    this.#endList();
    this.#name = name;
  }

  /** An empty part has room for anything. */
  hasRoomFor(item: string): boolean {
    return this.#bytes === 0 || this.#bytes + Buffer.byteLength(item) < partBytesMax;
  }

  add(item: string): void {
    this.#items.push(item);
    this.#bytes += Buffer.byteLength(item) + 1;
  }

  /** The part as it is; the next one begins empty. */
  end(): string {
    this.#endList();
    const body = `{${this.#members.join()}}`;
    this.#members = [];
    this.#bytes = 0;
    return body;
  }

  #endList(): void {
    if (this.#name !== null) this.#members.push(`"${this.#name}":[${this.#items.join()}]`);
    this.#name = null;
    this.#items = [];
  }
}
