import type { Processor } from "../core/pipeline.ts";
import type { Loaded } from "./loaded.ts";

/** Reports each loop of dependencies that a walk in file order closes, by name: a → b → a. */
export function checkCycles(loaded: Loaded, processors: readonly Processor[]): void {
  const byName = new Map(processors.map((processor) => [processor.name, processor]));
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (name: string): void => {
    const from = trail.indexOf(name);
    if (from !== -1) {
      report(loaded, trail.slice(from));
      return;
    }
    const processor = byName.get(name);
    if (done.has(name) || processor === undefined) return;
    trail.push(name);
    for (const upstream of new Set(processor.edges.flatMap((edge) => edge.anyOf))) visit(upstream);
    trail.pop();
    done.add(name);
  };
  for (const { name } of processors) visit(name);
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
