import { z, ZodError } from "zod";
import { messageOf, ReconcilerError } from "../../errors.ts";
import type { AppendedRow, RowKeeper } from "./appended-table.ts";
import { entryOf, type LedgerEntry } from "./ledger-bodies.ts";
import type { LedgerContents } from "./ledger-fold.ts";

/** In this order rows are expected. */
export const logColumns = ["kind", "id", "part", "parts", "body"] as const;

/** A record that was written as a whole. */
interface Known {
  /** Of its first part. */
  readonly recordedAt: number;
  readonly entry: LedgerEntry | null;
}

interface Part {
  readonly recordedAt: number;
  readonly parts: number;
  readonly body: string;
}

/**
 * The records of a log. A record that was written twice is the one that was written first; one of which parts are missing is not
 * there.
 */
export class LedgerLog implements RowKeeper {
  readonly #place: string;
  /** By kind and id. */
  #known = new Map<string, Known>();
  /** The parts of records that are not whole, by kind and id, then by part. */
  #waiting = new Map<string, Map<number, Part>>();
  #contents: LedgerContents | null = null;

  /** @param place what the ledger is called in errors */
  constructor(place: string) {
    this.#place = place;
  }

  replace(rows: readonly AppendedRow[]): void {
    this.#known = new Map();
    this.#waiting = new Map();
    this.#add(rows);
  }

  add(rows: readonly AppendedRow[]): boolean {
    // Another process wrote the same record, and its row was seen later than one that was written after it.
    const isEarlier = rows.some(({ recordedAt, values: [kind = "", id = "", part] }) => {
      const known = this.#known.get(keyOf(kind, id));
      return part === "1" && known !== undefined && recordedAt < known.recordedAt;
    });
    if (!isEarlier) this.#add(rows);
    return !isEarlier;
  }

  get contents(): LedgerContents {
    this.#contents ??= sorted([...this.#known.values()]);
    return this.#contents;
  }

  #add(rows: readonly AppendedRow[]): void {
    this.#contents = null;
    const touched = new Map<string, readonly [kind: string, id: string]>();
    for (const { recordedAt, values } of rows) {
      const [kind = "", id = "", part = "", parts = "", body = ""] = values;
      const key = keyOf(kind, id);
      if (this.#known.has(key)) continue;
      const waiting = this.#waiting.get(key) ?? new Map<number, Part>();
      const found = waiting.get(Number(part));
      if (found === undefined || recordedAt < found.recordedAt) {
        waiting.set(Number(part), { recordedAt, parts: Number(parts), body });
      }
      this.#waiting.set(key, waiting);
      touched.set(key, [kind, id]);
    }
    for (const [key, [kind, id]] of touched) this.#settle(key, kind, id);
  }

  #settle(key: string, kind: string, id: string): void {
    const waiting = this.#waiting.get(key);
    const first = waiting?.get(1);
    if (waiting === undefined || first === undefined || waiting.size < first.parts) return;
    this.#waiting.delete(key);
    const bodies = [...waiting].toSorted(([a], [b]) => a - b).map(([, { body }]) => body);
    this.#known.set(key, { recordedAt: first.recordedAt, entry: this.#read(kind, id, bodies) });
  }

  #read(kind: string, id: string, bodies: readonly string[]): LedgerEntry | null {
    try {
      return entryOf(kind, joined(bodies));
    } catch (error) {
      const issue = error instanceof ZodError ? error.issues[0] : undefined;
      const found = issue === undefined ? messageOf(error) : `${issue.path.join(".")}: ${issue.message}`;
      throw new ReconcilerError(
        "ledger_unavailable",
        `expected a record of this version in ${this.#place}, found the ${kind} ${id} with ${found}`,
        {
          cause: error,
          hint: "somebody changed its body by hand: put it right, or delete its row, which forgets what it recorded",
        },
      );
    }
  }
}

function keyOf(kind: string, id: string): string {
  return `${kind} ${id}`;
}

const bodyObject = z.record(z.string(), z.unknown());
const list = z.array(z.unknown());

/** The parts of a body as one: their lists go on from part to part. */
function joined(bodies: readonly string[]): unknown {
  const [first = {}, ...others] = bodies.map((body) => bodyObject.parse(JSON.parse(body)));
  const lists = new Map<string, unknown[]>();
  for (const [name, value] of others.flatMap((other) => Object.entries(other))) {
    const whole = lists.get(name) ?? [...list.parse(first[name] ?? [])];
    for (const item of list.parse(value)) whole.push(item);
    lists.set(name, whole);
  }
  return { ...first, ...Object.fromEntries(lists) };
}

function sorted(known: readonly Known[]): LedgerContents {
  const entries = known.toSorted((a, b) => a.recordedAt - b.recordedAt).map(({ entry }) => entry);
  return {
    starts: entries.flatMap((entry) => (entry?.kind === "start" ? [entry.start] : [])),
    ends: entries.flatMap((entry) => (entry?.kind === "end" ? [entry.recorded] : [])),
    cycles: entries.flatMap((entry) => (entry?.kind === "cycle" ? [entry.recorded] : [])),
    decisions: entries.flatMap((entry) => (entry?.kind === "decision" ? [entry.decision] : [])),
  };
}
