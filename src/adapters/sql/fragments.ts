import { ReconcilerError } from "../../errors.ts";

/** How the text of a dialect is cut into tokens. */
export interface Lexis {
  /** The place after the token at `at`: a quoted text, a comment, a word, or one character. Refuses what is not closed. */
  readonly skipToken: (sql: string, at: number) => number;
  /** Whether a comment begins at `at`. */
  readonly isComment: (sql: string, at: number) => boolean;
}

/** What users write, put into statements of ours without leaving its place. */
export interface Fragments {
  /**
   * A user's condition or expression in parentheses of its own. What could leave them is refused: a warehouse would read
   * `true) or (true` in a statement of ours as something that nobody wrote.
   * @throws ReconcilerError `warehouse_query_failed`
   */
  readonly enclose: (fragment: string) => string;
  /**
   * A user's SELECT in parentheses; one `;` at its end is dropped.
   * @throws ReconcilerError `warehouse_query_failed` where the text holds more than one statement, or is not whole.
   */
  readonly encloseQuery: (sql: string) => string;
}

export function fragmentsOf(lexis: Lexis): Fragments {
  return {
    enclose(fragment) {
      const end = endOfStatement(fragment, lexis);
      if (end !== fragment.length) throw refused(fragment, "a `;`", end);
      // The line break ends a comment before the parenthesis.
      return `(${fragment}\n)`;
    },
    encloseQuery(sql) {
      const end = endOfStatement(sql, lexis);
      const rest = sql.slice(end + 1);
      if (skipBlank(rest, lexis) !== rest.length) throw refused(sql, "a second statement", end);
      return `(${sql.slice(0, end)}\n)`;
    },
  };
}

/** The place of the first `;` outside quotes and comments, or the length. Refuses what is not closed. */
function endOfStatement(sql: string, lexis: Lexis): number {
  const open: string[] = [];
  for (let at = 0; at < sql.length; ) {
    const character = sql.charAt(at);
    if (character === ";" && open.length === 0) return at;
    const closing = { "(": ")", "[": "]", "{": "}" }[character];
    if (closing !== undefined) open.push(closing);
    else if (")]};".includes(character) && open.pop() !== character) {
      throw refused(sql, `a \`${character}\` that closes nothing`, at);
    }
    at = lexis.skipToken(sql, at);
  }
  if (open.length > 0) throw refused(sql, `an end without \`${open.at(-1)}\``, sql.length);
  return sql.length;
}

function skipBlank(sql: string, lexis: Lexis): number {
  let at = 0;
  while (at < sql.length && (/[\s;]/.test(sql.charAt(at)) || lexis.isComment(sql, at))) {
    at = lexis.skipToken(sql, at);
  }
  return at;
}

/** The place after a comment that ends with its line. */
export function lineEnd(sql: string, at: number): number {
  const length = sql.slice(at).search(/[\r\n]/);
  return length < 0 ? sql.length : at + length;
}

/** The place after a word, or after the one character that is none. */
export function wordEnd(sql: string, at: number): number {
  return at + (/^[\p{L}_][\p{L}\p{N}_$]*/u.exec(sql.slice(at, at + 200))?.[0].length ?? 1);
}

export function refused(sql: string, found: string, at: number): ReconcilerError {
  const line = sql.slice(0, at).split("\n").length;
  const text = sql.replace(/\s+/g, " ").trim();
  return new ReconcilerError(
    "warehouse_query_failed",
    `expected one whole SQL expression, found ${found} in line ${line} of: ${text.slice(0, 200)}`,
    { hint: "close every parenthesis, quote and comment inside the expression, and leave out `;`" },
  );
}
