import type { Processor } from "../core/pipeline.ts";
import type { Loaded } from "./loaded.ts";

/** Reports each loop of dependencies that a walk in file order closes, by name: a → b → a. */
export function checkCycles(loaded: Loaded, processors: readonly Processor[]): void {
  const upstreamsOf = new Map(
    processors.map(({ name, edges }) => [name, [...new Set(edges.flatMap((edge) => edge.anyOf))]]),
  );
  const done = new Set<string>();
  for (const { name } of processors) {
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
      if (from !== -1)
        report(
          loaded,
          trail.slice(from).map((step) => step.name),
        );
      else if (!done.has(upstream) && upstreamsOf.has(upstream)) trail.push({ name: upstream, next: 0 });
    }
  }
}

function report(loaded: Loaded, loop: readonly string[]): void {
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
