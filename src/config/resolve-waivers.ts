import { hashOf } from "../core/hash.ts";
import type { Waiver } from "../core/pipeline.ts";
import { checkName, type Loaded } from "./loaded.ts";

/** The waivers of the file. An id is made of what a waiver says, so that moving it within the file does not change it. */
export function resolveWaivers(loaded: Loaded): readonly Waiver[] {
  const seen = new Set<string>();
  return loaded.document.waivers.map((input, index) => {
    const path = ["waivers", index];
    for (const [at, name] of input.processors.entries()) {
      checkName(loaded, [...path, "processors", at], name, "processor");
    }
    if (input.end_date < input.start_date) {
      const expected = `a date that is not before start_date, which is ${input.start_date}`;
      loaded.issues.addAt(loaded.tree, [...path, "end_date"], { expected });
    }
    const waiver = {
      processors: input.processors,
      start: input.start_date,
      end: input.end_date,
      reason: input.reason,
      owner: input.owner,
      expires: input.expires ?? null,
      downstream: input.downstream,
    };
    const id = `config:${hashOf(waiver)}`;
    if (seen.has(id)) {
      loaded.issues.addAt(loaded.tree, path, {
        expected: "each waiver once",
        found: "the same one again",
        hint: "remove it",
      });
    }
    seen.add(id);
    return { id, ...waiver, source: "config" };
  });
}
