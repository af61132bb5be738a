import type { SurveyMemory, SurveyNote } from "../../../src/adapters/bigquery/survey-memory.ts";

/** Notes that outlive a warehouse, as those in a ledger do, with all that was ever appended. */
export function memoryOfTests(): SurveyMemory & { readonly appended: SurveyNote[] } {
  const appended: SurveyNote[] = [];
  return {
    appended,
    read: () => {
      const last = new Map(appended.map((note) => [JSON.stringify([note.subject, note.part]), note]));
      return Promise.resolve([...last.values()]);
    },
    append: (notes) => Promise.resolve(void appended.push(...notes)),
  };
}
