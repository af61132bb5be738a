import { readFileSync, writeFileSync } from "node:fs";
import { prometheusRule } from "./prometheus-rule.ts";

/** Writes the rules once more, in the form that the Prometheus operator takes. */
const deploy = new URL("../deploy/", import.meta.url);
const rules = readFileSync(new URL("prometheus/rules.yml", deploy), "utf8");
writeFileSync(new URL("components/monitoring/prometheus-rule.yaml", deploy), prometheusRule(rules));
