import { readFileSync } from "node:fs";
import { ReconcilerError } from "../../errors.ts";

/** The same depth from src/adapters/duckdb/ and from dist/adapters/duckdb/. */
const folder = new URL("../../../sql/duckdb/", import.meta.url);
const texts = new Map<string, string>();

/**
 * The statement in sql/duckdb/<name>.sql without its header comment, with every `{{placeholder}}` replaced. Replacements are
 * SQL that this adapter made (quoted names, checked fragments), never values: values are bound.
 * @throws ReconcilerError `internal` where a placeholder has no replacement.
 */
export function loadSql(name: string, replacements: Readonly<Record<string, string>> = {}): string {
  let text = texts.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`${name}.sql`, folder), "utf8")
      .replace(/^(?:--[^\n]*\n)+/, "")
      .trim()
      .replace(/;$/, "");
    texts.set(name, text);
  }
  return text.replace(/\{\{(\w+)\}\}/g, (_, placeholder: string) => {
    const replacement = replacements[placeholder];
    if (replacement === undefined) {
      throw new ReconcilerError("internal", `sql/duckdb/${name}.sql: nothing given for {{${placeholder}}}`);
    }
    return replacement;
  });
}
