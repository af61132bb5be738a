import type { ExplainedEdge } from "../core/explain.ts";

/** A dependency of a cell in words; `mark` is null where there is nothing to wait for. */
export interface EdgeWords {
  readonly mark: "satisfied" | "waiting" | null;
  readonly text: string;
}

export function edgeWords(edge: ExplainedEdge): EdgeWords {
  const names = `${edge.upstreams.join(" or ")}${edge.mode === "soft" ? " (soft)" : ""}`;
  if (readsNothing(edge)) return { mark: null, text: `${names}: ${unscheduledText(edge)}` };
  const degraded = edge.degraded ? ", not all of it: the output is degraded" : "";
  return {
    mark: edge.satisfied ? "satisfied" : "waiting",
    text: `${readsText(edge, names)}${edge.satisfied ? degraded : ", which is not there yet"}`,
  };
}

/** Whether no upstream has a scheduled date in what the cell reads of it. */
function readsNothing({ cells_read: reads }: ExplainedEdge): boolean {
  return reads.length > 0 && reads.every(({ scheduled }) => scheduled === 0);
}

function unscheduledText({ cells_read: reads }: ExplainedEdge): string {
  const [first] = reads;
  if (first === undefined || first.start_date === null || first.end_date === null) {
    return "has no such date, so there is nothing to wait for";
  }
  const when =
    first.start_date === first.end_date
      ? `on ${first.start_date}`
      : `from ${first.start_date} to ${first.end_date}`;
  return `not scheduled ${when}, so there is nothing to wait for`;
}

function readsText({ cells_read: reads, reads: what }: ExplainedEdge, names: string): string {
  const [only, ...others] = reads;
  if (only === undefined || others.length > 0 || what === "its own date") return `${names}: ${what}`;
  const range =
    only.start_date === only.end_date ? only.start_date : `${only.start_date} to ${only.end_date}`;
  return `reads ${names} ${range}: ${only.satisfied} of ${only.scheduled}`;
}
