import type { CommandAction, HttpAction, RepairAction, SqlAction } from "../core/repair-action.ts";
import { checkTemplates } from "./check-templates.ts";
import { absolutePath, sqlText, withoutComments, type Loaded } from "./loaded.ts";
import { cloudRunJobAction, kubernetesJobAction, pubsubAction } from "./resolve-cloud-actions.ts";
import { programOf } from "./resolve-programs.ts";
import { actionKeys, type RepairInput } from "./schema/repair.ts";
import type { TreePath } from "./tree.ts";

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
  if (input.sql_file !== undefined) return sqlAction(loaded, [...path, "sql_file"], input, input.sql_file);
  if (input.command !== undefined) return commandAction(loaded, path, input, input.command);
  if (input.kubernetes_job !== undefined)
    return kubernetesJobAction(loaded, path, input, input.kubernetes_job);
  if (input.cloud_run_job !== undefined) return cloudRunJobAction(loaded, path, input, input.cloud_run_job);
  if (input.pubsub !== undefined) return pubsubAction(loaded, [...path, "pubsub"], input.pubsub);
  return input.http === undefined ? null : httpAction(loaded, [...path, "http"], input.http);
}

function sqlAction(loaded: Loaded, path: TreePath, input: RepairInput, file: string): SqlAction | null {
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
  } else if (
    !(
      isGoogleSql ? /[$@](start_date|end_date(_exclusive)?)\b/ : /\$(start_date|end_date(_exclusive)?)\b/
    ).test(code)
  ) {
    const expected = `a SELECT that reads ${start} and ${end}`;
    loaded.issues.addAt(loaded.tree, path, { expected, found: "neither of them in the file", hint });
  }
  return {
    kind: "sql",
    file: absolutePath(loaded.folder, file),
    sql,
    publish: input.publish ?? "if_better",
    leaveNull: input.leave_null ?? [],
  };
}

function commandAction(
  loaded: Loaded,
  path: TreePath,
  input: RepairInput,
  argv: readonly string[],
): CommandAction {
  checkTemplates(loaded, [...path, "command"], false);
  if (argv[0]?.trim() === "")
    loaded.issues.addAt(loaded.tree, [...path, "command", 0], { expected: "a program" });
  const cwd = absolutePath(loaded.folder, input.cwd);
  return { kind: "command", argv, cwd, ...programOf(loaded, path, input) };
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

function checkUrl(loaded: Loaded, path: TreePath, url: string): void {
  const filled = url.replace(/\{\{[^{}]*\}\}/g, "1");
  if (URL.canParse(filled) && /^https?:\/\//i.test(filled)) return;
  loaded.issues.addAt(loaded.tree, path, { expected: "a URL that begins with http:// or https://" });
}
