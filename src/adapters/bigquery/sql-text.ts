import { fragmentsOf, lineEnd, refused, wordEnd } from "../sql/fragments.ts";

/** A name as an identifier, whatever characters it has. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}

/** A text as a literal; for values that cannot be bound, such as those of SQL that a person is to paste. */
export function quoteText(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n");
  return `'${escaped.replaceAll("\r", "\\r")}'`;
}

export const { enclose, encloseQuery } = fragmentsOf({ skipToken, isComment });

/** A user's statement with its parameters as GoogleSQL writes them, and their names. */
export interface ParameterizedSql {
  readonly sql: string;
  readonly names: readonly string[];
}

/**
 * Names the parameters of a user's statement: `$start_date`, as in every dialect of ours, or `@start_date`, as GoogleSQL has
 * it. What stands in quotes and comments is left alone, and so are system variables (`@@time_zone`) and hints (`@{…}`).
 * @throws ReconcilerError `warehouse_query_failed` where a quote or a comment is not closed.
 */
export function parametersOf(text: string): ParameterizedSql {
  const names = new Set<string>();
  let sql = "";
  for (let at = 0; at < text.length; ) {
    const found = /^[$@]([A-Za-z_]\w*)/.exec(text.slice(at, at + 200));
    const end = found === null ? skipToken(text, at) : at + found[0].length;
    if (found?.[1] !== undefined) names.add(found[1]);
    sql += found === null ? text.slice(at, end) : `@${found[1]}`;
    at = end;
  }
  return { sql, names: [...names] };
}

function isComment(sql: string, at: number): boolean {
  return /^(?:--|\/\*|#)/.test(sql.slice(at, at + 2));
}

function skipToken(sql: string, at: number): number {
  const rest = sql.slice(at, at + 2);
  if (rest === "--" || rest.startsWith("#")) return lineEnd(sql, at);
  if (rest === "/*") return commentEnd(sql, at);
  if (rest === "@@") return wordEnd(sql, at + 2);
  const quoted = /^(r?b?|br)(?='|")/i.exec(sql.slice(at, at + 3));
  if (quoted !== null) return quoteEnd(sql, at + quoted[0].length);
  if (rest.startsWith("`")) return quoteEnd(sql, at);
  return wordEnd(sql, at);
}

/** A backslash keeps the quote after it from ending the text, in raw texts too. */
function quoteEnd(sql: string, at: number): number {
  const quote = /^(?:'''|"""|'|"|`)/.exec(sql.slice(at, at + 3))?.[0] ?? "";
  for (let end = at + quote.length; end < sql.length; end += 1) {
    if (sql.charAt(end) === "\\") end += 1;
    else if (sql.startsWith(quote, end)) return end + quote.length;
    else if (/[\r\n]/.test(sql.charAt(end)) && quote.length === 1) break;
  }
  throw refused(sql, `a ${quote} that is not closed`, at);
}

/** Comments do not nest. */
function commentEnd(sql: string, at: number): number {
  const end = sql.indexOf("*/", at + 2);
  if (end < 0) throw refused(sql, "a comment that is not closed", at);
  return end + 2;
}
