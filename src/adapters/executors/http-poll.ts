import type { HttpPoll } from "../../core/repair-action.ts";
import { renderTemplate, templateNames, type TemplateVariables } from "../../core/template.ts";
import { messageOf } from "../../errors.ts";
import { redact } from "../../core/redact.ts";
import type { Clock } from "../../reconcile/ports.ts";
import type { RunResult } from "../../reconcile/ports/executor.ts";
import { type Deadline, deadlineOf } from "./deadline.ts";
import { callHttp, type HttpAnswer } from "./http-request.ts";
import { judgeAnswer, judgeFailure, retryAfterOf } from "./http-verdict.ts";
import { fieldOf, parseJson } from "./json-field.ts";
import { createLogTail, type LogTail } from "./log-tail.ts";
import { permanent } from "./run-result.ts";

/** One question that is not answered must not use up the time of all the others. */
const questionTimeoutMs = 30_000;

export interface PollRun {
  readonly poll: HttpPoll;
  /** The first answer, whose fields the URL may name. */
  readonly answer: HttpAnswer;
  /** Of the request that started it. */
  readonly requestUrl: string;
  readonly variables: TemplateVariables;
  readonly headers: Readonly<Record<string, string>>;
  readonly deadline: Deadline;
  /** The output of the run so far. */
  readonly log: LogTail;
  readonly options: { readonly secrets: readonly string[]; readonly clock: Clock };
}

/**
 * Asks until the run elsewhere succeeded or failed, or its time is up. A question that fails for a passing reason is
 * asked again: it says nothing about the run.
 */
export async function pollUntilDone(run: PollRun): Promise<RunResult> {
  const { poll, deadline, options } = run;
  const target = pollUrl(run);
  if (target.kind === "refused") return permanent(target.errorCode, target.message, run.log.text());
  const where = redact(`GET ${target.url}`, options.secrets);
  let last = "no answer yet";
  let waitMs = poll.intervalMs;
  for (;;) {
    await options.clock.sleep(Math.min(waitMs, deadline.remainingMs()), deadline.signal);
    if (deadline.ended() !== null || deadline.remainingMs() === 0) break;
    const asked = await ask(run, target.url, where);
    waitMs = Math.max(poll.intervalMs, asked.retryAfterMs ?? 0);
    if (asked.kind === "over") return asked.result;
    last = asked.found ?? last;
  }
  const logTail = run.log.text();
  if (deadline.ended() === "aborted") return { kind: "cancelled", logTail };
  const message = `expected ${poll.statusField} of ${where} to become ${poll.succeeded.join(" or ")} in time, found last: ${last}`;
  return { kind: "timed_out", message: redact(message, options.secrets), logTail };
}

type Asked =
  | { readonly kind: "over"; readonly result: RunResult; readonly retryAfterMs: null }
  /** Found is null where the end of the run cut the question off: that says nothing. */
  | { readonly kind: "again"; readonly found: string | null; readonly retryAfterMs: number | null };

async function ask(run: PollRun, url: string, where: string): Promise<Asked> {
  const { poll, options } = run;
  const log = createLogTail(options.secrets);
  const leftMs = run.deadline.remainingMs();
  const limit = deadlineOf({
    timeoutMs: Math.min(questionTimeoutMs, leftMs),
    signal: run.deadline.signal,
  });
  const context = { where, log, options };
  try {
    const headers = withoutContentHeaders(run.headers);
    const answer = await callHttp({
      method: "GET",
      url,
      headers,
      body: null,
      signal: limit.signal,
      onBody: log.append,
    });
    const verdict = judgeAnswer(answer, { ...context, acceptedStatuses: [] });
    if (verdict.kind === "failed") {
      if (verdict.classification !== "retryable")
        return { kind: "over", result: verdict, retryAfterMs: null };
      return { kind: "again", found: verdict.message, retryAfterMs: retryAfterOf(answer, options.clock) };
    }
    return readStatus(poll, answer, where, log);
  } catch (error) {
    if (limit.ended() !== null) {
      const found = leftMs > questionTimeoutMs ? "no answer in time" : null;
      return { kind: "again", found, retryAfterMs: null };
    }
    const verdict = judgeFailure(error, context);
    return {
      kind: "again",
      found: verdict.kind === "failed" ? verdict.message : messageOf(error),
      retryAfterMs: null,
    };
  } finally {
    limit.dispose();
  }
}

function readStatus(poll: HttpPoll, answer: HttpAnswer, where: string, log: LogTail): Asked {
  const status = fieldOf(parseJson(answer.body), poll.statusField);
  if (status === null) {
    return { kind: "again", found: `an answer without ${poll.statusField}`, retryAfterMs: null };
  }
  if (poll.succeeded.includes(status)) {
    return { kind: "over", result: { kind: "succeeded", logTail: log.text() }, retryAfterMs: null };
  }
  if (poll.failed.includes(status)) {
    const message = `${where} says that the run ended with ${poll.statusField} ${status}`;
    return {
      kind: "over",
      result: { ...failedRun, message, logTail: log.text() },
      retryAfterMs: null,
    };
  }
  return { kind: "again", found: status, retryAfterMs: null };
}

const failedRun = {
  kind: "failed",
  classification: "retryable",
  systemic: null,
  errorCode: "run_failed",
  retryAfterMs: null,
} as const;

type PollTarget =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "refused"; readonly errorCode: string; readonly message: string };

function pollUrl(run: PollRun): PollTarget {
  const { poll, answer, options } = run;
  const json = parseJson(answer.body);
  const template = poll.url;
  // An answer may hand over the whole URL; a part of one is put in as a part, whatever it contains.
  const wholeUrl = /^\s*\{\{\s*response\./.test(template);
  const variables: Record<string, string> = { ...run.variables };
  for (const name of templateNames(template)) {
    if (!name.startsWith("response.")) continue;
    const value = fieldOf(json, name.slice("response.".length));
    if (value === null) {
      const message = `expected ${name} in the JSON answer to be asked about, found none`;
      return { kind: "refused", errorCode: "poll_field_missing", message };
    }
    variables[name] = wholeUrl ? value : encodeURIComponent(value);
  }
  const rendered = renderTemplate(template, { ...variables, ...run.variables });
  const base = wholeUrl ? run.requestUrl : undefined;
  if (!URL.canParse(rendered, base)) {
    const message = `expected a URL to ask for the state of the run, found ${redact(rendered, options.secrets)}`;
    return { kind: "refused", errorCode: "poll_url_invalid", message };
  }
  const url = new URL(rendered, base);
  const { origin } = new URL(run.requestUrl);
  if (wholeUrl && url.origin !== origin) {
    const message = `the answer names ${redact(url.href, options.secrets)} to be asked; expected a URL of ${origin}, because credentials are sent with it`;
    return { kind: "refused", errorCode: "poll_other_host", message };
  }
  return { kind: "url", url: url.href };
}

function withoutContentHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "content-type"));
}
