import { BigQueryError } from "./errors.ts";
import { changed, type Content, type Row, type Table } from "./tables.ts";

/** What a statement does to the rows of a table. */
export interface Change {
  /** Rows that are deleted or replaced. */
  readonly removed: readonly Row[];
  readonly added: readonly Row[];
}

/** What statements read from and write to: the tables as they are, or a transaction. */
export interface Scope {
  contentOf(table: Table): Content;
  /** Called before rows are deleted or updated. @throws BigQueryError `invalidQuery` for the loser of a conflict */
  claim(table: Table, signal: AbortSignal): Promise<void>;
  apply(table: Table, change: Change): void;
  /** Called when the statement is over. */
  settle(): void;
}

/**
 * Who may delete and update rows of a table: one at a time, as in BigQuery. INSERTs need no claim. A statement of its own waits
 * for its turn, a transaction that comes second is cancelled.
 */
export class Claims {
  private readonly holders = new Map<Table, object>();
  private waiting: (() => void)[] = [];
  private readonly projectId: string;
  constructor(projectId: string) {
    this.projectId = projectId;
  }

  holderOf(table: Table): object | undefined {
    return this.holders.get(table);
  }

  take(table: Table, holder: object): void {
    this.holders.set(table, holder);
  }

  release(holder: object): void {
    for (const [table, held] of this.holders) if (held === holder) this.holders.delete(table);
    for (const wake of this.waiting.splice(0)) wake();
  }

  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    signal.throwIfAborted();
  }

  conflict(table: Table, id: string): BigQueryError {
    const name = `${this.projectId}:${table.dataset}.${table.name}`;
    return new BigQueryError(
      "invalidQuery",
      `Transaction is aborted due to concurrent update against table ${name}. Transaction ID: ${id}`,
      "query",
    );
  }
}

/** For a statement outside of transactions: what it does is there at once. */
export function autocommit(claims: Claims): Scope {
  const holder = {};
  return {
    contentOf: (table) => table.content,
    async claim(table, signal) {
      while (![undefined, holder].includes(claims.holderOf(table))) await claims.wait(signal);
      claims.take(table, holder);
    },
    apply(table, change) {
      commit(table, change);
    },
    settle: () => claims.release(holder),
  };
}

function commit(table: Table, { removed, added }: Change): void {
  if (removed.length === 0 && added.length === 0) return;
  const gone = new Set(removed.map(({ id }) => id));
  const rows = table.content.rows.filter(({ id }) => !gone.has(id));
  const next = changed(table, table.content, [...rows, ...added], [...removed, ...added]);
  table.content = removed.length === 0 ? next : { ...next, mutations: table.content.mutations + 1 };
}

/** A transaction of a session: it sees the tables as they were at its start, with its own changes. */
export class Transaction implements Scope {
  readonly id: string;
  private readonly claims: Claims;
  private readonly snapshot: ReadonlyMap<Table, Content>;
  private readonly changes = new Map<Table, { removed: Row[]; added: Row[]; content: Content }>();
  private state: "open" | "aborted" = "open";

  constructor(id: string, claims: Claims, tables: Iterable<Table>) {
    this.id = id;
    this.claims = claims;
    this.snapshot = new Map(Array.from(tables, (table) => [table, table.content]));
  }

  get aborted(): boolean {
    return this.state === "aborted";
  }

  contentOf(table: Table): Content {
    return this.changes.get(table)?.content ?? this.snapshot.get(table) ?? table.content;
  }

  claim(table: Table): Promise<void> {
    const holder = this.claims.holderOf(table);
    const seen = this.snapshot.get(table);
    const moved = seen !== undefined && seen.mutations !== table.content.mutations;
    if ((holder !== undefined && holder !== this) || moved) {
      this.rollback();
      return Promise.reject(this.claims.conflict(table, this.id));
    }
    this.claims.take(table, this);
    return Promise.resolve();
  }

  apply(table: Table, { removed, added }: Change): void {
    const before = this.contentOf(table);
    const gone = new Set(removed.map(({ id }) => id));
    const rows = [...before.rows.filter(({ id }) => !gone.has(id)), ...added];
    const so = this.changes.get(table) ?? { removed: [], added: [] };
    this.changes.set(table, {
      removed: [...so.removed, ...removed],
      // Rows that came and went within the transaction were never there for others.
      added: [...so.added.filter(({ id }) => !gone.has(id)), ...added],
      content: changed(table, before, rows, [...removed, ...added]),
    });
  }

  /** Nothing: what it claimed stays its own until it ends. */
  settle(): void {}

  commit(): void {
    for (const [table, change] of this.changes) commit(table, change);
    this.end();
  }

  rollback(): void {
    this.state = "aborted";
    this.end();
  }

  private end(): void {
    this.changes.clear();
    this.claims.release(this);
  }
}
