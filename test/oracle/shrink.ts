import { faultsOf } from "./faults.ts";
import { type Mutation, playWorld } from "./run.ts";
import type { Event, OracleWorld } from "./world.ts";

/** The world with as few events, tables and edges as still give a fault of the same kind. */
export async function shrink(world: OracleWorld, mutate?: Mutation): Promise<OracleWorld> {
  const wanted = kindsOf(await playWorld(world, mutate));
  let smallest = world;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smallerThan(smallest)) {
      const kinds = kindsOf(await playWorld(candidate, mutate));
      if (![...kinds].some((kind) => wanted.has(kind))) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

function kindsOf(rounds: Parameters<typeof faultsOf>[0]): Set<string> {
  return new Set(faultsOf(rounds).map((fault) => fault.replace(/^run \d+ /, "").replace(/:.*/, "")));
}

/** Worlds with one thing less, the largest things first. */
function* smallerThan(world: OracleWorld): Generator<OracleWorld> {
  const { phases, tables } = world;
  for (const phase of phases.keys()) {
    if (phases.length > 1) yield { ...world, phases: phases.toSpliced(phase, 1) };
  }
  for (const { name } of tables.toReversed()) {
    const isRead = tables.some(({ edges }) => edges.some(({ on }) => on === name));
    if (!isRead && tables.length > 1) yield withoutTable(world, name);
  }
  for (const [phase, events] of phases.entries()) {
    for (const [index, event] of events.entries()) {
      yield withPhase(world, phase, events.toSpliced(index, 1));
      if (!("days" in event) || event.days.length < 2) continue;
      for (const day of event.days) {
        const less: Event = { ...event, days: event.days.filter((other) => other !== day) };
        yield withPhase(world, phase, events.toSpliced(index, 1, less));
      }
    }
  }
  for (const [index, table] of tables.entries()) {
    if (table.edges.length < 2) continue;
    for (const edge of table.edges.keys()) {
      yield {
        ...world,
        tables: tables.toSpliced(index, 1, { ...table, edges: table.edges.toSpliced(edge, 1) }),
      };
    }
  }
}

function withPhase(world: OracleWorld, phase: number, events: readonly Event[]): OracleWorld {
  return { ...world, phases: world.phases.toSpliced(phase, 1, events) };
}

function withoutTable(world: OracleWorld, name: string): OracleWorld {
  return {
    ...world,
    tables: world.tables.filter((table) => table.name !== name),
    phases: world.phases.map((events) =>
      events.filter((event) => !("table" in event) || event.table !== name),
    ),
  };
}
