import type { Finding } from "./finding.ts";
import type { Expectation, Pipeline, RepairUnit } from "./pipeline.ts";

/** The config path of a repair. */
export function repairPlace({ processors }: Pipeline, { name }: RepairUnit): string {
  return processors.some((processor) => processor.name === name)
    ? `processors.${name}.repair`
    : `repairs.${name}`;
}

/**
 * Repairs that may add rows to a date instead of replacing it, where nothing would show it: the config does not say that they
 * replace, and the expectation has no upper bound. A SQL repair always replaces.
 */
export function appendingRepairs(pipeline: Pipeline): readonly Finding[] {
  return pipeline.repairUnits.flatMap((unit) => {
    if (unit.action.kind === "sql" || unit.saysReplaces) return [];
    const blind = unit.processors.flatMap((index) => {
      const processor = pipeline.processors[index];
      return processor === undefined || noticesRepeats(processor.expect) ? [] : processor.name;
    });
    if (blind.length === 0) return [];
    const [whose, them] = blind.length === 1 ? ["its", "it"] : ["their", "them"];
    const finding: Finding = {
      level: "warning",
      place: repairPlace(pipeline, unit),
      expected: `\`replaces: true\` if a run replaces the rows of ${whose} dates, or an expectation that notices doubled rows`,
      found: `no \`replaces\`, and nothing in \`expect\` of ${blind.join(", ")} limits the rows: a run that appends would double ${them} unseen`,
      hint: "add unique_keys (or rows.max, rows.max_per_unit) to expect, and say replaces: true, or replaces: false if a run appends",
    };
    return [finding];
  });
}

/** Whether twice the rows would break the expectation. */
function noticesRepeats({ rows, uniqueKeys, measures }: Expectation): boolean {
  if (uniqueKeys.length > 0 || rows.max !== null || rows.maxPerUnit !== null) return true;
  return measures.some(({ sql, max }) => max !== null && /\b(count|sum)\s*\(|\bcount_?if\s*\(/i.test(sql));
}
