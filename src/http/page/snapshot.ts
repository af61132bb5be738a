import type { Assessment } from "../../core/assessment.ts";
import { memoByIdentity } from "../../core/memo.ts";
import { type ResultDocument, resultDocument } from "../../core/result-document.ts";
import { type Causes, causesOf } from "../../presentation/cause-groups.ts";

/** What the page counts: the very document that `reconcile status` prints, and its root causes. */
export interface Snapshot {
  readonly document: ResultDocument;
  readonly causes: Causes;
}

/** Made once for each assessment, as many people may look at the same. */
export const snapshotOf: (assessment: Assessment) => Snapshot = memoByIdentity((assessment: Assessment) => {
  const document = resultDocument({ assessment, target: null, steps: [], repairs: [], cost: null });
  return { document, causes: causesOf(document) };
});
