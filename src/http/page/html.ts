import { escapeHtml } from "../../core/escape-html.ts";

/** What a template takes: text is escaped, markup is not, a list is its items one after the other, null and false are nothing. */
export type Content = Html | string | number | null | false | readonly Content[];

/** Markup in which every value was escaped. Only the `html` tag makes it, so that no text becomes markup unseen. */
export class Html {
  readonly #markup: string;

  constructor(strings: readonly string[], values: readonly Content[]) {
    let markup = strings[0] ?? "";
    for (let index = 0; index < values.length; index++) {
      markup += markupOf(values[index] ?? null) + (strings[index + 1] ?? "");
    }
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/** Markup with values in the text of elements and in quoted attributes, the only places where escaping makes them harmless. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings, values);
}

function markupOf(content: Content): string {
  if (content === null || content === false) return "";
  if (content instanceof Html) return content.toString();
  if (typeof content === "string") return escapeHtml(content);
  if (typeof content === "number") return String(content);
  let markup = "";
  for (const item of content) markup += markupOf(item);
  return markup;
}
