import { quoteText, type IssueList } from "./issues.ts";
import { didYouMean } from "./nearest.ts";
import type { TextFile } from "./read-text-file.ts";
import type { ScalarTree, Tree } from "./tree.ts";

/** Where `${…}` takes its values from. */
export interface InterpolationSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By the path as it stands in `${file:…}`. */
  readonly files: ReadonlyMap<string, TextFile>;
}

const placeholder = /\$\$|\$\{([^}]*)(\}?)/g;
const variable = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)(.*))?$/s;
const secretName =
  /PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|AUTH|DSN/i;
const forms = "${NAME}, ${NAME:-default}, ${NAME:?message}, ${file:/path} or $$ for a dollar";

/** Shorter secrets are masked where they stand, but not searched for in other texts, which they would blot out. */
const secretLengthMin = 4;

export function hasPlaceholder(text: string): boolean {
  return text.includes("${");
}

/** The files that `${file:…}` names anywhere in a tree. */
export function secretFilesOf(tree: Tree): ReadonlySet<string> {
  const files = new Set<string>();
  collectFiles(tree, files);
  return files;
}

/**
 * The scalar with `${…}` filled in and its secrets added to `secrets`; null where a placeholder has no value, which is
 * reported.
 */
export function interpolate(
  scalar: ScalarTree,
  source: InterpolationSource,
  secrets: Set<string>,
  issues: IssueList,
): ScalarTree | null {
  if (typeof scalar.value !== "string") return scalar;
  let secret = scalar.secret;
  let failed = false;
  const value = scalar.value.replace(
    placeholder,
    (whole, body: string | undefined, close: string | undefined) => {
      if (whole === "$$") return "$";
      const piece = resolvePlaceholder(whole, body ?? "", close === "}", source);
      if (piece.kind === "failed") {
        issues.add({ place: scalar.place, expected: piece.expected, found: piece.found, hint: piece.hint });
        failed = true;
        return "";
      }
      const found = piece.secret ? [piece.text] : passwordsOf(piece.text);
      for (const text of found) addSecret(secrets, text);
      secret ||= found.length > 0;
      return piece.text;
    },
  );
  return failed ? null : { ...scalar, value, secret };
}

export function addSecret(secrets: Set<string>, text: string): void {
  if (text.length >= secretLengthMin) secrets.add(text);
}

/** The passwords in a text that is a URL, as they stand there and decoded. */
export function passwordsOf(text: string): readonly string[] {
  const match = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@]*:([^/?#@]+)@/i.exec(text);
  const password = match?.[1];
  if (password === undefined) return [];
  try {
    return [...new Set([password, decodeURIComponent(password)])];
  } catch {
    // A stray % is no escape: the password is what it says.
    return [password];
  }
}

type Piece =
  | { readonly kind: "text"; readonly text: string; readonly secret: boolean }
  | {
      readonly kind: "failed";
      readonly expected: string;
      readonly found: string;
      readonly hint: string | null;
    };

function resolvePlaceholder(
  whole: string,
  body: string,
  closed: boolean,
  source: InterpolationSource,
): Piece {
  if (closed && body.startsWith("file:")) return filePiece(body.slice("file:".length), source);
  const match = closed ? variable.exec(body) : null;
  const name = match?.[1];
  if (name === undefined || match?.[3]?.includes("${") === true) {
    const hint = closed
      ? "write $$ where a dollar is meant"
      : "close it with }, or write $$ where a dollar is meant";
    return { kind: "failed", expected: forms, found: quoteText(whole), hint };
  }
  const value = source.env[name];
  const [operator, operand] = [match?.[2], match?.[3] ?? ""];
  if (operator === ":-" && (value === undefined || value === ""))
    return { kind: "text", text: operand, secret: false };
  if (value === undefined || (operator === ":?" && value === "")) {
    const expected = `the environment variable ${name}${operator === ":?" && operand !== "" ? ` (${operand})` : ""}`;
    const hint =
      didYouMean(name, Object.keys(source.env)) ?? `set ${name}, or give a default: \${${name}:-default}`;
    return { kind: "failed", expected, found: value === undefined ? "it is not set" : "it is empty", hint };
  }
  return { kind: "text", text: value, secret: value !== "" && secretName.test(name) };
}

function filePiece(path: string, source: InterpolationSource): Piece {
  const file = source.files.get(path);
  const expected = `a file with a secret at ${path}`;
  if (file === undefined || file.kind === "failed") {
    return {
      kind: "failed",
      expected,
      found: file?.found ?? "no such file",
      hint: "check the path and who may read it",
    };
  }
  const text = file.text.replace(/\r?\n$/, "");
  if (text === "") return { kind: "failed", expected, found: "an empty file", hint: null };
  return { kind: "text", text, secret: true };
}

function collectFiles(tree: Tree, files: Set<string>): void {
  if (tree.kind === "map") for (const entry of tree.entries.values()) collectFiles(entry.value, files);
  else if (tree.kind === "list") for (const item of tree.items) collectFiles(item, files);
  else if (typeof tree.value === "string") {
    for (const [, body, close] of tree.value.matchAll(placeholder)) {
      if (close === "}" && body?.startsWith("file:") === true) files.add(body.slice("file:".length));
    }
  }
}
