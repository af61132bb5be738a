import { fragmentsOf, lineEnd, refused, wordEnd } from "../sql/fragments.ts";

/** A name as an identifier, whatever characters it has. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a literal; for values that cannot be bound, such as those of SQL that a person is to paste. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export const { enclose, encloseQuery } = fragmentsOf({ skipToken, isComment });

function isComment(sql: string, at: number): boolean {
  return /^(?:--|\/\*)/.test(sql.slice(at, at + 2));
}

function skipToken(sql: string, at: number): number {
  const rest = sql.slice(at, at + 2);
  if (rest === "--") return lineEnd(sql, at);
  if (rest === "/*") return commentEnd(sql, at);
  if (/^[eE]'/.test(rest)) return quoteEnd(sql, at + 1, true);
  const first = sql.charAt(at);
  if (first === "'" || first === '"') return quoteEnd(sql, at, false);
  if (first === "$") return dollarEnd(sql, at);
  return wordEnd(sql, at);
}

function quoteEnd(sql: string, at: number, escapes: boolean): number {
  const quote = sql.charAt(at);
  for (let end = at + 1; end < sql.length; end += 1) {
    if (escapes && sql.charAt(end) === "\\") end += 1;
    else if (sql.charAt(end) === quote) {
      if (sql.charAt(end + 1) !== quote) return end + 1;
      end += 1;
    }
  }
  throw refused(sql, `a ${quote} that is not closed`, at);
}

/** After a text such as `$$it's$$` or `$tag$…$tag$`; a parameter such as `$start_date` opens none. */
function dollarEnd(sql: string, at: number): number {
  const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(sql.slice(at, at + 200))?.[0];
  if (tag === undefined) return at + 1;
  const end = sql.indexOf(tag, at + tag.length);
  if (end < 0) throw refused(sql, `a ${tag} that is not closed`, at);
  return end + tag.length;
}

/** Comments nest, as in PostgreSQL. */
function commentEnd(sql: string, at: number): number {
  let depth = 0;
  for (let end = at; end < sql.length; end += 1) {
    const pair = sql.slice(end, end + 2);
    if (pair === "/*") depth += 1;
    else if (pair === "*/") depth -= 1;
    else continue;
    end += 1;
    if (depth === 0) return end + 1;
  }
  throw refused(sql, "a comment that is not closed", at);
}
