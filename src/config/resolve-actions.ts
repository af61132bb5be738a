import { templateProblems, templateVariables } from "../core/template.ts";
import type { CommandAction, HttpAction, RepairAction, SqlAction } from "../core/pipeline.ts";
import { absolutePath, sqlText, withoutComments, type Loaded } from "./loaded.ts";
import { nearest } from "./nearest.ts";
import { actionKeys, type RepairInput } from "./schema/repair.ts";
import { treeAt, type Tree, type TreePath } from "./tree.ts";

/** What a repair does; null where it says nothing, and where what it says was reported. */
export function resolveAction(loaded: Loaded, path: TreePath, input: RepairInput): RepairAction | null {
  const given = actionKeys.filter((key) => input[key] !== undefined);
  if (given.length > 1) {
    loaded.issues.addAt(loaded.tree, path, {
      expected: "one action",
      found: given.join(" and "),
      hint: "keep one of them",
    });
    return null;
  }
  if (input.sql_file !== undefined) return sqlAction(loaded, [...path, "sql_file"], input.sql_file);
  if (input.command !== undefined) return commandAction(loaded, path, input, input.command);
  return input.http === undefined ? null : httpAction(loaded, [...path, "http"], input.http);
}

function sqlAction(loaded: Loaded, path: TreePath, file: string): SqlAction | null {
  const sql = sqlText(loaded, path, file);
  if (sql === null) return null;
  const code = withoutComments(sql);
  const isGoogleSql = loaded.document.warehouse.type === "bigquery";
  const [start, end] = isGoogleSql ? ["@start_date", "@end_date"] : ["$start_date", "$end_date"];
  const hint = `bind the dates: … where game_date between ${start} and ${end}`;
  if (/\{\{.*?\}\}/.test(code)) {
    loaded.issues.addAt(loaded.tree, path, {
      expected: "SQL without templates",
      found: "{{…}} in the file",
      hint,
    });
  } else if (!(isGoogleSql ? /[$@](start|end)_date\b/ : /\$(start|end)_date\b/).test(code)) {
    const expected = `a SELECT that reads ${start} and ${end}`;
    loaded.issues.addAt(loaded.tree, path, { expected, found: "neither of them in the file", hint });
  }
  return { kind: "sql", file: absolutePath(loaded.folder, file), sql };
}

function commandAction(
  loaded: Loaded,
  path: TreePath,
  input: RepairInput,
  argv: readonly string[],
): CommandAction {
  checkTemplates(loaded, [...path, "command"], false);
  checkTemplates(loaded, [...path, "env"], false);
  if (argv[0]?.trim() === "")
    loaded.issues.addAt(loaded.tree, [...path, "command", 0], { expected: "a program" });
  for (const name of Object.keys(input.env)) {
    if (!name.startsWith("GAP_RECONCILER_")) continue;
    loaded.issues.addAtKey(loaded.tree, [...path, "env", name], {
      expected: "a name that does not begin with GAP_RECONCILER_",
      found: name,
      hint: "the product sets those itself",
    });
  }
  const { retryable, permanent } = input.exit_codes;
  const both = retryable.filter((code) => permanent.includes(code));
  if (both.length > 0) {
    const expected = "each exit code in one list";
    loaded.issues.addAt(loaded.tree, [...path, "exit_codes"], {
      expected,
      found: `${both.join(", ")} in both`,
    });
  }
  const cwd = absolutePath(loaded.folder, input.cwd);
  return { kind: "command", argv, cwd, env: input.env, exitCodes: { retryable, permanent } };
}

function httpAction(loaded: Loaded, path: TreePath, input: NonNullable<RepairInput["http"]>): HttpAction {
  const { poll, body } = input;
  for (const key of ["url", "headers", "body"]) checkTemplates(loaded, [...path, key], false);
  checkUrl(loaded, [...path, "url"], input.url);
  if (poll !== undefined) {
    checkTemplates(loaded, [...path, "poll", "url"], true);
    checkUrl(loaded, [...path, "poll", "url"], poll.url);
    const both = poll.succeeded.filter((word) => poll.failed.includes(word));
    if (both.length > 0) {
      const expected = "each status in one of succeeded and failed";
      loaded.issues.addAt(loaded.tree, [...path, "poll"], { expected, found: `${both.join(", ")} in both` });
    }
  }
  if (body !== undefined && input.method === "GET") {
    loaded.issues.addAtKey(loaded.tree, [...path, "body"], {
      expected: "no body with GET",
      hint: "use POST, or remove body",
    });
  }
  const isJson = body !== undefined && typeof body !== "string";
  const hasType = Object.keys(input.headers).some((header) => header.toLowerCase() === "content-type");
  return {
    kind: "http",
    method: input.method,
    url: input.url,
    headers: isJson && !hasType ? { ...input.headers, "Content-Type": "application/json" } : input.headers,
    body: body === undefined ? null : isJson ? JSON.stringify(body) : body,
    acceptedStatuses: input.accepted_statuses,
    poll:
      poll === undefined
        ? null
        : {
            url: poll.url,
            intervalMs: poll.interval,
            statusField: poll.status_field,
            succeeded: poll.succeeded,
            failed: poll.failed,
          },
  };
}

/** Templates in the texts of a value, however deep; keys are no templates. */
function checkTemplates(loaded: Loaded, path: TreePath, allowResponse: boolean): void {
  const tree = treeAt(loaded.tree, path);
  if (tree !== null) checkTemplateTree(loaded, path, tree, allowResponse);
}

function checkTemplateTree(loaded: Loaded, path: TreePath, tree: Tree, allowResponse: boolean): void {
  if (tree.kind === "map") {
    for (const [key, { value }] of tree.entries)
      checkTemplateTree(loaded, [...path, key], value, allowResponse);
  } else if (tree.kind === "list") {
    for (const [index, item] of tree.items.entries())
      checkTemplateTree(loaded, [...path, index], item, allowResponse);
  } else if (typeof tree.value === "string") {
    checkTemplate(loaded, path, tree.value, allowResponse);
  }
}

function checkTemplate(loaded: Loaded, path: TreePath, text: string, allowResponse: boolean): void {
  for (const { name, kind } of templateProblems(text, allowResponse)) {
    if (kind === "unclosed") {
      loaded.issues.addAt(loaded.tree, path, { expected: "}} after every {{", found: `{{${name}` });
      continue;
    }
    const near = nearest(name, templateVariables);
    const hint = name.startsWith("response")
      ? "{{response.FIELD}} works only in http.poll.url"
      : near === null
        ? null
        : `did you mean "{{${near}}}"?`;
    const expected = `a template: ${templateVariables.map((known) => `{{${known}}}`).join(" ")}`;
    loaded.issues.addAt(loaded.tree, path, { expected, found: `the unknown {{${name}}}`, hint });
  }
}

function checkUrl(loaded: Loaded, path: TreePath, url: string): void {
  const filled = url.replace(/\{\{[^{}]*\}\}/g, "1");
  if (URL.canParse(filled) && /^https?:\/\//i.test(filled)) return;
  loaded.issues.addAt(loaded.tree, path, { expected: "a URL that begins with http:// or https://" });
}
