import type { HttpAction } from "../../core/repair-action.ts";
import { renderTemplate } from "../../core/template.ts";
import { messageOf } from "../../errors.ts";
import { redact } from "../../core/redact.ts";
import type { Clock } from "../../reconcile/ports.ts";
import type { RunRequest, RunResult } from "../../reconcile/ports/executor.ts";
import { deadlineOf } from "./deadline.ts";
import { judgeAnswer, judgeFailure } from "./http-verdict.ts";
import { pollUntilDone } from "./http-poll.ts";
import { callHttp } from "./http-request.ts";
import { createLogTail } from "./log-tail.ts";
import { permanent } from "./run-result.ts";
import { variablesOf } from "./variables.ts";

export interface HttpOptions {
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

/** Sends one request and, where the action says how, asks for the state of what it started until that is over. */
export async function runHttp(
  options: HttpOptions,
  action: HttpAction,
  request: RunRequest,
): Promise<RunResult> {
  const variables = variablesOf(request);
  const url = renderTemplate(action.url, variables);
  const headers = headersOf(action, request);
  const body = action.body === null ? null : renderTemplate(action.body, variables);
  const where = redact(`${action.method} ${url}`, options.secrets);
  const log = createLogTail(options.secrets);
  const deadline = deadlineOf(request);
  try {
    const call = { method: action.method, url, headers, body, signal: deadline.signal, onBody: log.append };
    const answer = await callHttp(call);
    const verdict = judgeAnswer(answer, { where, acceptedStatuses: action.acceptedStatuses, log, options });
    if (action.poll === null || (verdict.kind !== "succeeded" && verdict.kind !== "accepted")) return verdict;
    return await pollUntilDone({
      poll: action.poll,
      answer,
      requestUrl: url,
      variables,
      headers,
      deadline,
      log,
      options,
    });
  } catch (error) {
    if (deadline.ended() === "aborted") return { kind: "cancelled", logTail: log.text() };
    if (deadline.ended() === "timeout") {
      const message = `expected an answer from ${where} within ${request.timeoutMs / 1000} s, found none`;
      return { kind: "timed_out", message, logTail: log.text() };
    }
    // Node's own refusal to send: a URL or a header that no server would understand.
    if (error instanceof TypeError) {
      return permanent(
        "invalid_request",
        `${where} cannot be sent: ${redact(messageOf(error), options.secrets)}`,
        null,
      );
    }
    return judgeFailure(error, { where, log, options });
  } finally {
    deadline.dispose();
  }
}

/** The action's own headers, and what lets the other side recognise a repeated or a late request. */
function headersOf(action: HttpAction, request: RunRequest): Record<string, string> {
  const variables = variablesOf(request);
  const headers: Record<string, string> = { "user-agent": "gap-reconciler" };
  for (const [name, value] of Object.entries(action.headers)) {
    headers[name.toLowerCase()] = renderTemplate(value, variables);
  }
  headers["idempotency-key"] = request.repairId;
  headers["x-gap-reconciler-fencing-token"] = String(request.token);
  if (action.body !== null) headers["content-type"] ??= "application/json";
  return headers;
}
