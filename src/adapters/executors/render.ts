import { renderTemplate, type TemplateVariables } from "../../core/template.ts";

type Texts = Readonly<Record<string, string>>;

/** The values of a map with their templates filled in; keys are no templates. */
export function renderValues(texts: Texts, variables: TemplateVariables): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, renderTemplate(text, variables)]),
  );
}

/** The texts of a JSON value, however deep, with their templates filled in. */
export function renderDeep(value: unknown, variables: TemplateVariables): unknown {
  if (typeof value === "string") return renderTemplate(value, variables);
  if (Array.isArray(value)) return value.map((item: unknown) => renderDeep(item, variables));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renderDeep(item, variables)]));
}
