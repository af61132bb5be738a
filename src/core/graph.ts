import { ReconcilerError } from "../errors.ts";

/** The dependencies of a pipeline, by processor index. */
export interface Graph {
  /** Every upstream before its dependents; among equals the file's order. */
  readonly order: readonly number[];
  /** Direct upstreams of each, without repetition. */
  readonly upstreams: readonly (readonly number[])[];
  /** Direct dependents of each, without repetition. */
  readonly dependents: readonly (readonly number[])[];
}

export interface GraphNode {
  readonly name: string;
  /** Names of the upstreams; all must be known. */
  readonly upstreams: readonly string[];
}

/**
 * @throws ReconcilerError `config_invalid` for an unknown upstream, `dependency_cycle` naming the loop
 * (`a → b → a`, read as "a needs b needs a").
 */
export function buildGraph(nodes: readonly GraphNode[]): Graph {
  const indexes = new Map(nodes.map((node, index) => [node.name, index]));
  const upstreams = nodes.map((node) => {
    const known = node.upstreams.map((name) => {
      const index = indexes.get(name);
      if (index === undefined) {
        throw new ReconcilerError(
          "config_invalid",
          `${node.name} depends on "${name}", which is no processor`,
        );
      }
      return index;
    });
    return [...new Set(known)];
  });
  const dependents: number[][] = nodes.map(() => []);
  upstreams.forEach((list, index) => {
    for (const upstream of list) dependents[upstream]?.push(index);
  });
  return { order: topologicalOrder(nodes, upstreams), upstreams, dependents };
}

/** Depth-first from each node in file order; iterative, so that a long chain cannot exhaust the stack. */
function topologicalOrder(nodes: readonly GraphNode[], upstreams: readonly (readonly number[])[]): number[] {
  const order: number[] = [];
  const state = new Uint8Array(nodes.length);
  const [onPath, done] = [1, 2];
  for (let root = 0; root < nodes.length; root++) {
    if (state[root] === done) continue;
    const path: { node: number; next: number }[] = [{ node: root, next: 0 }];
    state[root] = onPath;
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const upstream = upstreams[top.node]?.[top.next];
      top.next++;
      if (upstream === undefined) {
        state[top.node] = done;
        order.push(top.node);
        path.pop();
      } else if (state[upstream] === onPath) {
        throw cycleError(nodes, [...path.map((entry) => entry.node), upstream]);
      } else if (state[upstream] !== done) {
        state[upstream] = onPath;
        path.push({ node: upstream, next: 0 });
      }
    }
  }
  return order;
}

function cycleError(nodes: readonly GraphNode[], walk: readonly number[]): ReconcilerError {
  const start = walk.indexOf(walk.at(-1) ?? 0);
  const loop = walk.slice(start).map((index) => nodes[index]?.name);
  return new ReconcilerError("dependency_cycle", `the dependencies form a loop: ${loop.join(" → ")}`, {
    hint: "read it as «needs»; remove one of these dependencies",
  });
}
