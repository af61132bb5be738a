import type { Processor } from "../core/pipeline.ts";
import { judgingPlan, type References } from "../core/references.ts";
import type { Loaded } from "./loaded.ts";

const keys: Readonly<Record<keyof References, readonly string[]>> = {
  when: ["rows", "when", "of"],
  perEntity: ["rows", "per_entity", "of"],
  coverage: ["coverage", "of"],
};

/**
 * Reports tables whose empty dates are judged by each other: neither can prove that the other has nothing to write. With a
 * completion log there is proof without the other.
 */
export function checkReferences(loaded: Loaded, processors: readonly Processor[]): void {
  const { references } = judgingPlan(processors);
  for (const { name, index, expect } of processors) {
    if (expect.rows.completionLog !== null) continue;
    const circular = Object.entries(references[index] ?? {}).find(([, reference]) => reference?.isCircular);
    if (circular === undefined) continue;
    const [part, reference] = circular;
    const key = Object.entries(keys).find(([candidate]) => candidate === part)?.[1] ?? [];
    loaded.issues.addAt(loaded.tree, ["processors", name, "expect", ...key], {
      expected: "a processor whose own empty dates are not judged by this one",
      found: reference?.processor.name ?? "",
      hint: "let only one of the two have rows.min: 0, or add rows.completion_log",
    });
  }
}
