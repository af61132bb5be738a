import type { Edge, EdgeWindow } from "../core/pipeline.ts";
import { checkName, type Loaded } from "./loaded.ts";
import type { EdgeInput } from "./schema/processor.ts";
import type { TreePath } from "./tree.ts";

type EdgeMap = Exclude<EdgeInput, string>;

/** The edges of one processor; what contradicts itself or names nobody is reported. */
export function resolveEdges(loaded: Loaded, path: TreePath, inputs: readonly EdgeInput[]): readonly Edge[] {
  return inputs.flatMap((input, index) => {
    const edgePath = [...path, index];
    const edge = typeof input === "string" ? plainEdge(input) : resolveEdge(loaded, edgePath, input);
    if (edge === null) return [];
    const known = edge.anyOf.map((name) =>
      checkName(loaded, namePath(edgePath, input, name), name, "processor"),
    );
    return known.every(Boolean) ? [edge] : [];
  });
}

function plainEdge(processor: string): Edge {
  const window: EdgeWindow = { kind: "same_date" };
  return {
    anyOf: [processor],
    mode: "hard",
    waitMs: null,
    minCompleteness: null,
    window,
    minShare: 1,
    stale: true,
  };
}

function resolveEdge(loaded: Loaded, path: TreePath, input: EdgeMap): Edge | null {
  const { issues, tree } = loaded;
  if ((input.processor === undefined) === (input.any_of === undefined)) {
    const found = input.processor === undefined ? "neither" : "both";
    issues.addAt(tree, path, { expected: "either processor or any_of", found });
    return null;
  }
  const anyOf = input.any_of ?? (input.processor === undefined ? [] : [input.processor]);
  if (new Set(anyOf).size < anyOf.length) {
    issues.addAt(tree, [...path, "any_of"], { expected: "each processor once", found: anyOf.join(", ") });
  }
  if (input.wait !== undefined && input.mode === "hard") {
    issues.addAtKey(tree, [...path, "wait"], {
      expected: "no wait: a hard edge waits until the upstream is there",
      hint: "add `mode: soft`, or remove wait",
    });
  }
  const window = resolveWindow(loaded, path, input);
  if (input.min_share !== undefined && window.kind === "same_date") {
    issues.addAtKey(tree, [...path, "min_share"], {
      expected: "no min_share: it belongs to lookback and window",
      hint: "use min_completeness for how complete one upstream cell must be",
    });
  }
  return {
    anyOf,
    mode: input.mode,
    waitMs: input.wait ?? null,
    minCompleteness: input.min_completeness ?? null,
    window,
    minShare: input.min_share ?? 1,
    stale: input.stale ?? (input.mode === "hard" && window.kind === "same_date"),
  };
}

function resolveWindow(loaded: Loaded, path: TreePath, input: EdgeMap): EdgeWindow {
  const { issues, tree } = loaded;
  const { lookback } = input;
  if (lookback === undefined)
    return input.window === undefined ? { kind: "same_date" } : { kind: input.window };
  if (input.window !== undefined) {
    issues.addAtKey(tree, [...path, "window"], { expected: "either lookback or window", found: "both" });
  }
  const { days, dates } = lookback;
  if ((days === undefined) === (dates === undefined)) {
    const found = days === undefined ? "neither" : "both";
    issues.addAt(tree, [...path, "lookback"], { expected: "either days or dates", found });
  }
  const sameDate = lookback.same_date;
  return dates === undefined
    ? { kind: "days", days: days ?? 1, sameDate }
    : { kind: "dates", dates, sameDate };
}

function namePath(path: TreePath, input: EdgeInput, name: string): TreePath {
  if (typeof input === "string") return path;
  return input.any_of === undefined
    ? [...path, "processor"]
    : [...path, "any_of", input.any_of.indexOf(name)];
}
