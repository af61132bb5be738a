import { ReconcilerError } from "../../errors.ts";

/** A name as an identifier, whatever characters it has. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a literal; for values that cannot be bound, such as those of SQL that a person is to paste. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * A user's condition or expression in parentheses of its own. What could leave them is refused: DuckDB would read
 * `true) or (true` in a statement of ours as something that nobody wrote.
 * @throws ReconcilerError `warehouse_query_failed`
 */
export function enclose(fragment: string): string {
  const end = endOfStatement(fragment);
  if (end !== fragment.length) throw refused(fragment, "a `;`", end);
  // The line break ends a `--` comment before the parenthesis.
  return `(${fragment}\n)`;
}

/**
 * A user's SELECT in parentheses; one `;` at its end is dropped.
 * @throws ReconcilerError `warehouse_query_failed` where the text holds more than one statement, or is not whole.
 */
export function encloseQuery(sql: string): string {
  const end = endOfStatement(sql);
  const rest = sql.slice(end + 1);
  if (skipBlank(rest) !== rest.length) throw refused(sql, "a second statement", end);
  return `(${sql.slice(0, end)}\n)`;
}

/** The place of the first `;` outside quotes and comments, or the length. Refuses what is not closed. */
function endOfStatement(sql: string): number {
  const open: string[] = [];
  for (let at = 0; at < sql.length; ) {
    const character = sql.charAt(at);
    if (character === ";" && open.length === 0) return at;
    const closing = { "(": ")", "[": "]", "{": "}" }[character];
    if (closing !== undefined) open.push(closing);
    else if (")]};".includes(character) && open.pop() !== character) {
      throw refused(sql, `a \`${character}\` that closes nothing`, at);
    }
    at = skipToken(sql, at);
  }
  if (open.length > 0) throw refused(sql, `an end without \`${open.at(-1)}\``, sql.length);
  return sql.length;
}

/** The place after the token at `at`: a quoted text, a comment, a word, or one character. */
function skipToken(sql: string, at: number): number {
  const rest = sql.slice(at, at + 2);
  if (rest === "--") return lineEnd(sql, at);
  if (rest === "/*") return commentEnd(sql, at);
  if (/^[eE]'/.test(rest)) return quoteEnd(sql, at + 1, true);
  const first = sql.charAt(at);
  if (first === "'" || first === '"') return quoteEnd(sql, at, false);
  if (first === "$") return dollarEnd(sql, at);
  return at + (/^[\p{L}_][\p{L}\p{N}_$]*/u.exec(sql.slice(at, at + 200))?.[0].length ?? 1);
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

function lineEnd(sql: string, at: number): number {
  const end = sql.indexOf("\n", at);
  return end < 0 ? sql.length : end;
}

function skipBlank(sql: string): number {
  let at = 0;
  while (at < sql.length && (/[\s;]/.test(sql.charAt(at)) || /^(?:--|\/\*)/.test(sql.slice(at, at + 2)))) {
    at = skipToken(sql, at);
  }
  return at;
}

function refused(sql: string, found: string, at: number): ReconcilerError {
  const line = sql.slice(0, at).split("\n").length;
  const text = sql.replace(/\s+/g, " ").trim();
  return new ReconcilerError(
    "warehouse_query_failed",
    `expected one whole SQL expression, found ${found} in line ${line} of: ${text.slice(0, 200)}`,
    { hint: "close every parenthesis, quote and comment inside the expression, and leave out `;`" },
  );
}
