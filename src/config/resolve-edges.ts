import type { Edge, EdgeWindow } from "../core/pipeline.ts";
import { isOneCell } from "../core/windows.ts";
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
  if (input.min_share !== undefined && isOneCell(window)) {
    issues.addAtKey(tree, [...path, "min_share"], {
      expected: "no min_share: it belongs to lookback, lookahead and window",
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
    stale:
      input.stale ?? (input.mode === "hard" && input.lookback === undefined && input.lookahead === undefined),
  };
}

function resolveWindow(loaded: Loaded, path: TreePath, input: EdgeMap): EdgeWindow {
  const { issues, tree } = loaded;
  const given = (["lookback", "lookahead", "offset", "window"] as const).filter(
    (key) => input[key] !== undefined,
  );
  if (given.length > 1) {
    issues.addAtKey(tree, [...path, given[1] ?? ""], {
      expected: "one of lookback, lookahead, offset and window",
      found: given.join(" and "),
    });
  }
  const { lookback, lookahead, offset } = input;
  if (input.window !== undefined) return { kind: input.window };
  const reach = lookback ?? lookahead ?? offset;
  if (reach === undefined) return { kind: "same_date" };
  const { days, dates } = reach;
  if ((days === undefined) === (dates === undefined)) {
    const found = days === undefined ? "neither" : "both";
    issues.addAt(tree, [...path, given[0] ?? ""], { expected: "either days or dates", found });
  }
  if (offset !== undefined) {
    return dates === undefined ? { kind: "offset_days", days: days ?? -1 } : { kind: "offset_dates", dates };
  }
  const sameDate = (lookback ?? lookahead)?.same_date ?? false;
  const [byDays, byDates] =
    lookback === undefined ? (["days_ahead", "dates_ahead"] as const) : (["days", "dates"] as const);
  return dates === undefined
    ? { kind: byDays, days: days ?? 1, sameDate }
    : { kind: byDates, dates, sameDate };
}

function namePath(path: TreePath, input: EdgeInput, name: string): TreePath {
  if (typeof input === "string") return path;
  return input.any_of === undefined
    ? [...path, "processor"]
    : [...path, "any_of", input.any_of.indexOf(name)];
}
