/** What one of several servers says to a question; `none` where it did not answer. */
export type Vote =
  | { readonly kind: "yes" }
  | { readonly kind: "no" }
  | { readonly kind: "none"; readonly error: unknown };

/** What a majority of all servers says. Without one it is `undecided`, however many answered. */
export type Verdict =
  | { readonly kind: "yes" }
  | { readonly kind: "no" }
  | { readonly kind: "undecided"; readonly answers: number; readonly error: unknown };

/** How many of so many servers decide. */
export function majorityOf(servers: number): number {
  return Math.floor(servers / 2) + 1;
}

/** A question's answer as a vote. */
export async function voteOf(question: Promise<boolean>): Promise<Vote> {
  try {
    return { kind: (await question) ? "yes" : "no" };
  } catch (error) {
    return { kind: "none", error };
  }
}

/** The verdict of at least one vote, as soon as the votes that are still out cannot change it. Never rejects. */
export function verdictOf(votes: readonly Promise<Vote>[]): Promise<Verdict> {
  const counts = { yes: 0, no: 0, none: 0 };
  const needed = majorityOf(votes.length);
  let lastError: unknown = null;
  return new Promise((resolve) => {
    const count = (vote: Vote): void => {
      counts[vote.kind] += 1;
      if (vote.kind === "none") lastError = vote.error;
      const answers = counts.yes + counts.no;
      if (counts.yes >= needed) resolve({ kind: "yes" });
      else if (votes.length - counts.no < needed) resolve({ kind: "no" });
      else if (answers + counts.none === votes.length)
        resolve({ kind: "undecided", answers, error: lastError });
    };
    for (const vote of votes) void vote.then(count);
  });
}
