import { z } from "zod";
import type { PubsubAction } from "../../core/repair-action.ts";
import { renderTemplate } from "../../core/template.ts";
import type { Launch, LaunchProblem, RunRequest, RunResult } from "../../reconcile/ports/executor.ts";
import { ApiCallError, callApi } from "./api-call.ts";
import { deadlineOf } from "./deadline.ts";
import { googleApi } from "./google-api.ts";
import type { RemoteOptions } from "./remote-run.ts";
import { renderValues } from "./render.ts";
import { variablesOf } from "./variables.ts";

const publishPermission = "pubsub.topics.publish";
const granted = z.object({ permissions: z.array(z.string()).optional() });
const published = z.object({ messageIds: z.array(z.string()).min(1) });

/**
 * Publishes one message. Whoever gets it does the work, and only the query can prove it: the run counts as accepted. A
 * message cannot be taken back, so that what was published before an abort goes on.
 */
export async function publishMessage(
  options: RemoteOptions,
  action: PubsubAction,
  request: RunRequest,
): Promise<RunResult> {
  const topic = topicPathOf(action, request);
  const deadline = deadlineOf(request);
  try {
    const api = googleApi(`${action.apiEndpoint}/v1`, options);
    const body = { messages: [messageOf(action, request)] };
    const call = { method: "POST", path: `/${topic}:publish`, body } as const;
    const { messageIds } = await callApi(api, call, published, deadline.signal);
    return { kind: "accepted", logTail: null, handle: `message ${messageIds.join(", ")} of ${topic}` };
  } catch (error) {
    if (!(error instanceof ApiCallError)) throw error;
    if (deadline.ended() === "aborted") return { kind: "cancelled", logTail: null };
    if (deadline.ended() === "timeout") {
      const message = `expected ${topic} to take the message within ${request.timeoutMs / 1000} s, found no answer`;
      return { kind: "timed_out", message, logTail: null };
    }
    return error.failure;
  } finally {
    deadline.dispose();
  }
}

export function topicPathOf({ project, topic }: PubsubAction, launch: Launch): string {
  return `projects/${project}/topics/${encodeURIComponent(renderTemplate(topic, variablesOf(launch)))}`;
}

/** Whether the topic is there and takes messages of ours. @throws ApiCallError */
export async function checkTopic(
  options: RemoteOptions,
  action: PubsubAction,
  launch: Launch,
  signal: AbortSignal,
): Promise<readonly LaunchProblem[]> {
  const topic = topicPathOf(action, launch);
  const body = { permissions: [publishPermission] };
  const call = { method: "POST", path: `/${topic}:testIamPermissions`, body } as const;
  const api = googleApi(`${action.apiEndpoint}/v1`, options);
  const { permissions = [] } = await callApi(api, call, granted, signal);
  if (permissions.includes(publishPermission)) return [];
  const message = `no topic ${topic}, or no permission ${publishPermission} on it`;
  const hint = "create the topic, or grant roles/pubsub.publisher on it to the account of this process";
  return [{ level: "error", message, hint }];
}

/** The attributes let a subscription filter, and let the other side know a repeated message and refuse a late one. */
function messageOf(action: PubsubAction, request: RunRequest): object {
  const variables = variablesOf(request);
  const { start_date, end_date, processor, attempt, fencing_token, idempotency_key } = variables;
  const about = {
    pipeline: request.pipeline,
    processor,
    start_date,
    end_date,
    fencing_token,
    idempotency_key,
  };
  const whole = { ...about, attempt: Number(attempt), season: request.season, dates: request.dates };
  const data = action.data === null ? JSON.stringify(whole) : renderTemplate(action.data, variables);
  return {
    data: Buffer.from(data, "utf8").toString("base64"),
    attributes: { ...renderValues(action.attributes, variables), ...about, attempt },
    ...(action.orderingKey === null ? {} : { orderingKey: renderTemplate(action.orderingKey, variables) }),
  };
}
