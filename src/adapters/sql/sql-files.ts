import { readFileSync } from "node:fs";
import { ReconcilerError } from "../../errors.ts";

/**
 * The statement in sql/<dialect>/<name>.sql without its header comment, with every `{{placeholder}}` replaced. Replacements
 * are SQL that the adapter made (quoted names, checked fragments), never values: values are bound.
 * @throws ReconcilerError `internal` where a placeholder has no replacement.
 */
export type LoadSql = (name: string, replacements?: Readonly<Record<string, string>>) => string;

/** Reads the statements of one dialect; each file once. */
export function sqlFiles(dialect: string): LoadSql {
  // The same depth from src/adapters/sql/ and from dist/adapters/sql/.
  const folder = new URL(`../../../sql/${dialect}/`, import.meta.url);
  const texts = new Map<string, string>();
  return (name, replacements = {}) => {
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
        throw new ReconcilerError(
          "internal",
          `sql/${dialect}/${name}.sql: nothing given for {{${placeholder}}}`,
        );
      }
      return replacement;
    });
  };
}
