import { parse, stringify } from "yaml";
import { z } from "zod";

const rulesFile = z.strictObject({ groups: z.array(z.looseObject({ name: z.string() })).min(1) });

const head = `# Made of deploy/prometheus/rules.yml by \`npm run prometheus-rule\`, for the Prometheus operator. Change it there.
`;

/**
 * The rules as the Prometheus operator takes them, as YAML.
 * @param rules a file of rules as Prometheus reads it
 * @throws z.ZodError where it is none
 */
export function prometheusRule(rules: string): string {
  const { groups } = rulesFile.parse(parse(rules));
  return (
    head +
    stringify(
      {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: { name: "gap-reconciler" },
        spec: { groups },
      },
      // Expressions keep the lines that they have.
      { lineWidth: 0 },
    )
  );
}
