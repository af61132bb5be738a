import { ReconcilerError } from "../errors.ts";

/** What `{{…}}` may name in a command, its environment, a URL, a header or a body. */
export const templateVariables = [
  "start_date",
  "end_date",
  "end_date_exclusive",
  "start_date_nodash",
  "dates",
  "season",
  "processor",
  "attempt",
  "fencing_token",
  "idempotency_key",
] as const;

export type TemplateVariable = (typeof templateVariables)[number];

/** `response.FIELD` names a field of an HTTP answer, dots reach into it; only the URL to poll may use it. */
export type TemplateVariables = Readonly<Record<TemplateVariable, string>> & Readonly<Record<string, string>>;

export interface TemplateProblem {
  /** What stands between the braces; for braces that never close, what follows them. */
  readonly name: string;
  readonly kind: "unknown" | "unclosed";
}

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;
const responseField = /^response(\.[A-Za-z0-9_-]+)+$/;
const known = new Set<string>(templateVariables);

/** The names between braces in order of appearance, each once, known or not. */
export function templateNames(text: string): readonly string[] {
  return [...new Set([...text.matchAll(placeholder)].map((match) => match[1] ?? ""))];
}

/** What is wrong with a template; `response.FIELD` is fine only where `allowResponse` says so. */
export function templateProblems(text: string, allowResponse: boolean): readonly TemplateProblem[] {
  const problems: TemplateProblem[] = templateNames(text)
    .filter((name) => !known.has(name) && !(allowResponse && responseField.test(name)))
    .map((name) => ({ name, kind: "unknown" }));
  const rest = text.replace(placeholder, "");
  const unclosed = rest.indexOf("{{");
  if (unclosed !== -1)
    problems.push({ name: rest.slice(unclosed + 2, unclosed + 32).trim(), kind: "unclosed" });
  return problems;
}

/**
 * The text with every placeholder replaced. Values are put in as they are: what they contain is never read as a template.
 * @throws ReconcilerError `repair_contract` where a name has no value: loading checks the names of variables, but only an
 * answer tells which fields it has.
 */
export function renderTemplate(text: string, variables: TemplateVariables): string {
  return text.replace(placeholder, (_whole, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value === undefined) {
      throw new ReconcilerError("repair_contract", `expected a value for {{${name}}}, found none`, {
        hint: `there are: ${Object.keys(variables).sort().join(", ")}`,
      });
    }
    return value;
  });
}
