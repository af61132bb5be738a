import { z } from "zod";
import type { CloudRunJobAction } from "../../core/repair-action.ts";
import { renderTemplate } from "../../core/template.ts";
import type { Launch, RunRequest, RunResult } from "../../reconcile/ports/executor.ts";
import { type Api, ApiCallError, callApi } from "./api-call.ts";
import {
  type Execution,
  execution,
  executionList,
  isOver,
  runOf,
  runOperation,
  stateOf,
  taskList,
} from "./cloud-run-executions.ts";
import { googleApi } from "./google-api.ts";
import { followRemoteRun, type RemoteOptions, type RemoteRun, type RemoteRuns } from "./remote-run.ts";
import { renderValues } from "./render.ts";
import { readRunPages } from "./run-pages.ts";
import { childVariables, variablesOf } from "./variables.ts";

const listPageSize = "100";

const anyAnswer = z.looseObject({});

/** Runs a Cloud Run job with the dates as arguments and environment, and waits for the end of the execution. */
export function runCloudRunJob(
  options: RemoteOptions,
  action: CloudRunJobAction,
  request: RunRequest,
): Promise<RunResult> {
  const api = googleApi(`${action.apiEndpoint}/v2`, options);
  return followRemoteRun(executionsOf(api, action, request), request, options);
}

/** The job; which of its executions is the run's is told by GAP_RECONCILER_REPAIR_ID in its environment. */
export function jobPathOf({ project, location, job }: CloudRunJobAction, launch: Launch): string {
  const name = encodeURIComponent(renderTemplate(job, variablesOf(launch)));
  return `projects/${project}/locations/${location}/jobs/${name}`;
}

function executionsOf(api: Api, action: CloudRunJobAction, request: RunRequest): RemoteRuns {
  const job = jobPathOf(action, request);
  const get = (id: string, signal: AbortSignal): Promise<Execution> =>
    callApi(api, { method: "GET", path: `/${id}` }, execution, signal);
  const listed = (signal: AbortSignal, fits: (found: Execution) => boolean): Promise<readonly RemoteRun[]> =>
    runsAmong(api, job, request, signal, fits);
  return {
    what: `Cloud Run job ${job}`,
    intervalMs: action.intervalMs,
    unfinished: (signal) => listed(signal, (found) => !isOver(found)),
    async start(signal) {
      const call = { method: "POST", path: `/${job}:run`, body: overridesOf(action, request) } as const;
      return (await callApi(api, call, runOperation, signal)).metadata.name;
    },
    async find(signal) {
      const runs = await listed(signal, () => true);
      return runs.find(({ repairId }) => repairId === request.repairId)?.id ?? null;
    },
    async look(id, signal) {
      try {
        const found = await get(id, signal);
        const isFailed = isOver(found) && (found.failedCount ?? 0) > 0;
        return stateOf(found, action.exitCodes, isFailed ? await tasksOf(api, id, signal) : []);
      } catch (error) {
        if (error instanceof ApiCallError && error.status === 404) return { kind: "gone" };
        throw error;
      }
    },
    async stop(id, signal) {
      try {
        await callApi(api, { method: "POST", path: `/${id}:cancel`, body: {} }, anyAnswer, signal);
      } catch (error) {
        // 400: it is over already. 404: nothing of it is left.
        if (!(error instanceof ApiCallError) || (error.status !== 400 && error.status !== 404)) throw error;
      }
    },
    async readLog(id, log, signal) {
      // Its output is in Cloud Logging, which takes another permission and is minutes behind.
      const found = await get(id, signal).catch(() => null);
      log.append(Buffer.from(`log of ${id}: ${found?.logUri ?? "in Cloud Logging"}\n`));
      return null;
    },
  };
}

/** The exit codes are worth a call, and not the run's result where it fails. */
async function tasksOf(api: Api, id: string, signal: AbortSignal) {
  const call = { method: "GET", path: `/${id}/tasks`, query: { pageSize: listPageSize } } as const;
  const list = await callApi(api, call, taskList, signal).catch(() => ({ tasks: [] }));
  return list.tasks ?? [];
}

function runsAmong(
  api: Api,
  job: string,
  request: RunRequest,
  signal: AbortSignal,
  fits: (found: Execution) => boolean,
): Promise<readonly RemoteRun[]> {
  const path = `/${job}/executions`;
  return readRunPages(path, async (pageToken) => {
    const query = { pageSize: listPageSize, ...(pageToken === undefined ? {} : { pageToken }) };
    const list = await callApi(api, { method: "GET", path, query }, executionList, signal);
    const fitting = (list.executions ?? []).filter(fits);
    return { items: fitting.flatMap((found) => runOf(found, request) ?? []), next: list.nextPageToken };
  });
}

/** A run ends by itself when its time is over, so that it outlives a process that died by no more than that. */
function overridesOf(action: CloudRunJobAction, request: RunRequest): object {
  const variables = variablesOf(request);
  const env = { ...renderValues(action.env, variables), ...childVariables(request) };
  const override = {
    ...(action.container === null ? {} : { name: action.container }),
    ...(action.args === null ? {} : { args: action.args.map((text) => renderTemplate(text, variables)) }),
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
  };
  const timeout = `${Math.max(1, Math.ceil(request.timeoutMs / 1000))}s`;
  return { overrides: { containerOverrides: [override], timeout } };
}
