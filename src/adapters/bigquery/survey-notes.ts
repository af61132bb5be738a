import type { AppendedRow, RowKeeper } from "./appended-table.ts";
import type { NewRow } from "./inserts.ts";
import type { Statement } from "./job-configuration.ts";
import { type LedgerAccess, LedgerTable } from "./ledger-table.ts";
import { listParameter } from "./parameters.ts";
import { loadSql } from "./sql-files.ts";
import type { SurveyMemory, SurveyNote } from "./survey-memory.ts";

const columns = ["subject", "part", "noted_at", "body"] as const;

/** The table of notes. @param dataset quoted */
export function notesTable(access: LedgerAccess, dataset: string, keeper: SurveyNotes): LedgerTable {
  const statementOf = (rows: readonly NewRow[]): Statement => {
    const column = (index: number) => rows.map(({ values }) => values[index] ?? "");
    return {
      sql: loadSql("ledger-insert-survey-notes", { dataset }),
      parameters: [
        listParameter("subjects", "STRING", column(0)),
        listParameter("parts", "STRING", column(1)),
        listParameter("noted_at", "INT64", column(2)),
        listParameter("bodies", "STRING", column(3)),
      ],
      purpose: "memory",
    };
  };
  return new LedgerTable(access, { name: "survey_notes", columns, keeper, statementOf });
}

export function surveyMemory(table: LedgerTable, keeper: SurveyNotes): SurveyMemory {
  return {
    read: async () => ((await table.refresh()) ? keeper.last : []),
    append: (notes) => table.add(notes.map(rowOf)),
  };
}

function rowOf({ subject, part, at, body }: SurveyNote): NewRow {
  const noted = String(Math.round(at));
  return { key: JSON.stringify([subject, part, noted]), values: [subject, part, noted, body] };
}

/** The last note about each part of each subject. */
export class SurveyNotes implements RowKeeper {
  #last = new Map<string, { readonly note: SurveyNote; readonly recordedAt: number }>();

  get last(): readonly SurveyNote[] {
    return [...this.#last.values()].map(({ note }) => note);
  }

  replace(rows: readonly AppendedRow[]): void {
    this.#last = new Map();
    this.add(rows);
  }

  add(rows: readonly AppendedRow[]): boolean {
    for (const { recordedAt, values } of rows) {
      const [subject = "", part = "", notedAt = "", body = ""] = values;
      // As microseconds.
      const at = Number(notedAt) / 1000;
      const key = JSON.stringify([subject, part]);
      const known = this.#last.get(key);
      const isLater =
        known === undefined || at > known.note.at || (at === known.note.at && recordedAt > known.recordedAt);
      if (isLater) this.#last.set(key, { note: { subject, part, at, body }, recordedAt });
    }
    return true;
  }
}
