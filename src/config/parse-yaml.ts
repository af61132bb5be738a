import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Pair,
  type ParsedNode,
} from "yaml";
import { messageOf } from "../errors.ts";
import { quoteText, type IssueList } from "./issues.ts";
import type { Entry, Place, Tree, TreePath } from "./tree.ts";

const depthMax = 60;
const nodesMax = 100_000;
const syntaxErrorsMax = 5;

/**
 * YAML 1.2 (core schema: dates and `yes` are text) to a tree. Reports into `issues` and returns null where the text is no
 * single document of maps, lists and scalars of a sensible size.
 */
export function parseYaml(text: string, issues: IssueList): Tree | null {
  const lines = new LineCounter();
  const documents = compose(text, lines, issues);
  if (documents === null) return null;
  const [document, second] = documents;
  if (document === undefined || document.contents === null || isEmptyScalar(document)) {
    issues.add({
      place: null,
      expected: "a pipeline",
      found: "an empty file",
      hint: "examples/minimal/pipeline.yaml is one to begin with",
    });
    return null;
  }
  const conversion = new Conversion(text, lines, issues);
  if (second !== undefined) {
    const place = conversion.placeAt(second.range[0], []);
    issues.add({
      place,
      expected: "one YAML document",
      found: "a second one",
      hint: "remove the line `---` and what follows",
    });
    return null;
  }
  return conversion.reportSyntax(document) ? null : conversion.convert(document.contents, [], 0);
}

type YamlDocument = Document.Parsed<ParsedNode>;

function compose(text: string, lineCounter: LineCounter, issues: IssueList): readonly YamlDocument[] | null {
  try {
    // Duplicate keys are found in the conversion, which knows both places.
    const options = {
      version: "1.2",
      prettyErrors: false,
      uniqueKeys: false,
      lineCounter,
      logLevel: "silent",
    } as const;
    const documents = parseAllDocuments(text, options);
    return "empty" in documents ? [] : documents;
  } catch (error) {
    const found = error instanceof RangeError ? "nesting that is too deep" : messageOf(error);
    issues.add({ place: null, expected: "YAML", found, hint: null });
    return null;
  }
}

function isEmptyScalar(document: YamlDocument): boolean {
  const { contents } = document;
  return document.errors.length === 0 && isScalar(contents) && contents.value === null;
}

/** One walk over a document. Aliases are expanded where they stand, within the bound on nodes. */
class Conversion {
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #issues: IssueList;
  readonly #anchors = new Map<string, ParsedNode>();
  readonly #open = new Set<ParsedNode>();
  #nodes = 0;

  constructor(text: string, lines: LineCounter, issues: IssueList) {
    this.#text = text;
    this.#lines = lines;
    this.#issues = issues;
  }

  placeAt(offset: number, path: TreePath): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1), path };
  }

  /** Whether there was anything to report. */
  reportSyntax(document: YamlDocument): boolean {
    const { yaml } = document.directives;
    if (yaml.explicit === true && yaml.version !== "1.2") {
      const place = this.placeAt(0, []);
      this.#issues.add({
        place,
        expected: "YAML 1.2",
        found: `%YAML ${yaml.version}`,
        hint: "remove the directive",
      });
    }
    const problems = [...document.errors, ...document.warnings];
    for (const problem of problems.slice(0, syntaxErrorsMax)) {
      const place = this.placeAt(problem.pos[0], []);
      const line = this.#text.split("\n", place.line)[place.line - 1] ?? "";
      const hint = /(^|[^"'{])\{\{/.test(line) ? 'quote text that contains {{…}}: "{{start_date}}"' : null;
      this.#issues.add({ place, expected: "YAML 1.2", found: messageOf(problem), hint });
    }
    return !this.#issues.isEmpty;
  }

  /** Null where something was reported that leaves no value. */
  convert(node: ParsedNode, path: TreePath, depth: number): Tree | null {
    const place = this.placeAt(node.range[0], path);
    this.#nodes += 1;
    if (this.#nodes > nodesMax || depth > depthMax) return this.#tooLarge(place, depth);
    if (isAlias(node)) return this.#alias(node.source, place, path, depth);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node.value, place);
    this.#open.add(node);
    const tree = isSeq(node)
      ? this.#list(node.items, place, path, depth)
      : isMap(node)
        ? this.#map(node.items, place, path, depth)
        : null;
    this.#open.delete(node);
    return tree;
  }

  #scalar(value: unknown, place: Place): Tree | null {
    if (!isPlain(value)) {
      this.#issues.add({
        place,
        expected: "text, a number, true or false",
        found: "a value that only a tag can give",
        hint: "remove the tag",
      });
      return null;
    }
    return { kind: "scalar", value, place, secret: false, pending: false };
  }

  #list(items: readonly ParsedNode[], place: Place, path: TreePath, depth: number): Tree {
    const converted: Tree[] = [];
    for (const [index, item] of items.entries()) {
      if (this.#exhausted) break;
      const tree = this.convert(item, [...path, index], depth + 1);
      if (tree !== null) converted.push(tree);
    }
    return { kind: "list", items: converted, place };
  }

  #map(
    pairs: readonly Pair<ParsedNode, ParsedNode | null>[],
    place: Place,
    path: TreePath,
    depth: number,
  ): Tree {
    const entries = new Map<string, Entry>();
    for (const { key, value } of pairs) {
      if (this.#exhausted) break;
      const name = this.#key(key, path);
      if (name === null) continue;
      const keyPath = [...path, name];
      const keyPlace = this.placeAt(key.range[0], keyPath);
      const earlier = entries.get(name);
      if (earlier !== undefined) {
        const found = `${quoteText(name)} again; the first one is in line ${earlier.keyPlace.line}`;
        this.#issues.add({
          place: keyPlace,
          expected: "each key once",
          found,
          hint: "rename or remove one of them",
        });
        continue;
      }
      const nothing: Tree = { kind: "scalar", value: null, place: keyPlace, secret: false, pending: false };
      const tree = value === null ? nothing : this.convert(value, keyPath, depth + 1);
      if (tree === null) continue;
      // Nothing has no place of its own worth pointing at.
      const isNothing = tree.kind === "scalar" && tree.value === null;
      entries.set(name, { keyPlace, value: isNothing ? { ...tree, place: keyPlace } : tree });
    }
    return { kind: "map", entries, place };
  }

  #key(key: ParsedNode, path: TreePath): string | null {
    const place = this.placeAt(key.range[0], path);
    if (isMap(key) || isSeq(key)) {
      const found = isMap(key)
        ? "a map as a key, which is how YAML reads an unquoted {{…}}"
        : "a list as a key";
      this.#issues.add({ place, expected: "text", found, hint: 'quote it: "{{start_date}}"' });
      return null;
    }
    const name = isScalar(key) && isPlain(key.value) && key.value !== null ? String(key.value) : null;
    if (name === null || name === "__proto__") {
      this.#issues.add({
        place,
        expected: "a key that is text",
        found: name === null ? "none" : quoteText(name),
        hint: null,
      });
      return null;
    }
    if (name === "<<") {
      const hint = "put what is shared into `defaults`, or repeat an anchor with *name as a value";
      this.#issues.add({ place, expected: "a key", found: "<<, which YAML 1.2 does not merge", hint });
      return null;
    }
    return name;
  }

  #alias(anchor: string, place: Place, path: TreePath, depth: number): Tree | null {
    const target = this.#anchors.get(anchor);
    if (target === undefined || this.#open.has(target)) {
      const found =
        target === undefined ? `*${anchor}, which names none` : `*${anchor}, which contains itself`;
      this.#issues.add({ place, expected: "an alias of an anchor further up", found, hint: null });
      return null;
    }
    return this.convert(target, path, depth);
  }

  get #exhausted(): boolean {
    return this.#nodes > nodesMax;
  }

  #tooLarge(place: Place, depth: number): null {
    const expected = `at most ${depthMax} levels and ${nodesMax.toLocaleString("en")} values, aliases expanded`;
    const found = depth > depthMax ? "more levels" : "more values";
    this.#issues.add({
      place: { ...place, path: [] },
      expected,
      found,
      hint: "use fewer or smaller aliases",
    });
    return null;
  }
}

function isPlain(value: unknown): value is string | number | boolean | null {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
