import { distance } from "fastest-levenshtein";

/**
 * The candidate that somebody most likely meant, or null where none is near: letters and separators may differ, or one
 * contains the other.
 */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  const wanted = plain(name);
  if (wanted === "") return null;
  const allowed = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | null = null;
  let bestScore = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const other = plain(candidate);
    const edits = distance(wanted, other);
    const contains =
      wanted.length >= 3 && other.length >= 3 && (other.includes(wanted) || wanted.includes(other));
    const score = edits <= allowed ? edits : contains ? allowed + edits : Number.POSITIVE_INFINITY;
    if (score < bestScore) [best, bestScore] = [candidate, score];
  }
  return best;
}

/** `did you mean "depends_on"?`, or null where nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | null {
  const found = nearest(name, candidates);
  return found === null ? null : `did you mean "${found}"?`;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_ ./]/g, "");
}
