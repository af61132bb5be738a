import type { Edge, Processor } from "../core/pipeline.ts";
import type { Loaded } from "./loaded.ts";

type UpstreamsOf = ReadonlyMap<string, readonly string[]>;

/** Reports each loop of dependencies that a walk in file order closes, by name: a → b → a. */
export function checkCycles(loaded: Loaded, processors: readonly Processor[]): void {
  const loops = loopsIn(
    new Map(processors.map(({ name, edges }) => [name, distinct(edges.flatMap((edge) => edge.anyOf))])),
  );
  for (const loop of loops) reportLoop(loaded, loop);
  // A loop of processors is one of their repairs too.
  if (loops.length === 0) checkSharedRepairs(loaded, processors);
}

/**
 * Tables that one run fills wait for one another. Where a third must be filled between two of them, on the same date, none
 * of the three ever is.
 */
function checkSharedRepairs(loaded: Loaded, processors: readonly Processor[]): void {
  const members = new Map<string, Processor[]>();
  const groupOf = new Map<string, string>();
  for (const processor of processors) {
    const { name, repairUnit } = processor;
    const group = repairUnit === null ? name : `${repairUnit}`;
    members.set(group, [...(members.get(group) ?? []), processor]);
    groupOf.set(name, group);
  }
  const upstreamsOf = new Map(
    [...members].map(([group, all]) => {
      const needed = all.flatMap(({ edges }) =>
        edges.filter(isAwaitedOnItsDate).flatMap((edge) => edge.anyOf),
      );
      const groups = needed.flatMap((name) => groupOf.get(name) ?? []);
      return [group, distinct(groups).filter((other) => other !== group)];
    }),
  );
  for (const loop of loopsIn(upstreamsOf)) {
    const steps = loop.map((group) => (members.get(group) ?? []).map(({ name }) => name));
    const shared = steps.find((names) => names.length > 1) ?? [];
    loaded.issues.addAt(loaded.tree, ["processors", shared[0] ?? "", "depends_on"], {
      expected: "tables of one repair without another table that must be filled between them",
      found: [...steps, steps[0] ?? []].map((names) => names.join(" + ")).join(" → "),
      hint: `one run fills ${shared.join(" and ")}: give them repairs of their own`,
    });
  }
}

/** Whether an upstream must be there on the date itself, whatever else it is read for. */
function isAwaitedOnItsDate({ mode, anyOf, window }: Edge): boolean {
  if (mode === "soft" || anyOf.length > 1) return false;
  return window.kind === "days" || window.kind === "dates" ? window.sameDate : true;
}

/** Each loop that a walk in order closes, its first node not repeated. */
function loopsIn(upstreamsOf: UpstreamsOf): readonly (readonly string[])[] {
  const loops: (readonly string[])[] = [];
  const done = new Set<string>();
  for (const name of upstreamsOf.keys()) {
    // A stack of its own, because a long chain would exhaust that of the language.
    const trail: { readonly name: string; next: number }[] = done.has(name) ? [] : [{ name, next: 0 }];
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const upstream = upstreamsOf.get(top.name)?.[top.next];
      top.next++;
      if (upstream === undefined) {
        done.add(top.name);
        trail.pop();
        continue;
      }
      const from = trail.findIndex((step) => step.name === upstream);
      if (from !== -1) loops.push(trail.slice(from).map((step) => step.name));
      else if (!done.has(upstream) && upstreamsOf.has(upstream)) trail.push({ name: upstream, next: 0 });
    }
  }
  return loops;
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

function reportLoop(loaded: Loaded, loop: readonly string[]): void {
  const [first = ""] = loop;
  const path = ["processors", first, "depends_on"];
  const isOwn = loop.length === 1;
  loaded.issues.addAt(loaded.tree, path, {
    expected: "dependencies without a loop",
    found: [...loop, first].join(" → "),
    hint: isOwn
      ? "`chronological: true` makes a processor wait for its own earlier dates"
      : "remove one of these dependencies; one that only reads the past may be no dependency at all",
  });
}
