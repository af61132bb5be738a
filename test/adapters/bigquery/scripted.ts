import { createServer } from "node:http";

/** What a client asked. */
export interface Asked {
  readonly method: string;
  /** After the project. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: { readonly jobReference?: JobReference; readonly configuration?: JobConfiguration };
}

interface JobReference {
  readonly jobId: string;
  readonly location?: string;
}

interface JobConfiguration {
  readonly dryRun?: boolean;
  readonly jobTimeoutMs?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
}

/** `cut` breaks the answer off after its headers, `drop` the connection before it, `hang` never answers. */
export type Answer = "hang" | "cut" | "drop" | { readonly status?: number; readonly body: unknown };

export interface Scripted {
  readonly url: string;
  readonly asked: readonly Asked[];
  stop(): Promise<void>;
}

/** A server that answers as it is told, to see what a client does with answers that no real one gives on demand. */
export async function startScripted(answer: (asked: Asked, count: number) => Answer): Promise<Scripted> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      const url = new URL(request.url ?? "", "http://localhost");
      const path = url.pathname.replace(/^\/bigquery\/v2\/projects\/[^/]+/, "");
      const one = {
        method: request.method ?? "",
        path,
        query: url.searchParams,
        body: text === "" ? {} : (JSON.parse(text) as Asked["body"]),
      };
      asked.push(one);
      const said = answer(one, asked.length);
      if (said === "hang") return;
      if (said === "drop") {
        request.socket.destroy();
        return;
      }
      const type = { "content-type": "application/json; charset=UTF-8" };
      if (said === "cut") {
        response.writeHead(200, type);
        response.end('{"kind": "bigquery#job", "status": {"state": "DO');
        return;
      }
      response.writeHead(said.status ?? 200, type);
      response.end(JSON.stringify(said.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function errorAnswer(status: number, reason: string, message: string): Answer {
  return { status, body: { error: { code: status, message, errors: [{ reason, message }] } } };
}

/** Answers as a BigQuery in which every job is done at once, with the pages of one INT64 column. */
export function doneAnswers(pages: readonly (readonly string[])[] = [["1"]]): (asked: Asked) => Answer {
  return ({ method, path, query, body }) => {
    if (method === "POST" && path.endsWith("/cancel"))
      return { body: { kind: "bigquery#jobCancelResponse" } };
    const job = {
      jobReference: body.jobReference ?? { jobId: path.split("/").at(-1), location: "EU" },
      status: { state: "DONE" },
    };
    if (method === "POST") return { body: job };
    if (path.startsWith("/jobs/")) {
      return {
        body: { ...job, statistics: { query: { totalBytesBilled: "10485760", numDmlAffectedRows: "3" } } },
      };
    }
    const page = Number(query.get("pageToken") ?? 0);
    return {
      body: {
        jobComplete: true,
        schema: { fields: [{ name: "n", type: "INTEGER" }] },
        rows: (pages[page] ?? []).map((value) => ({ f: [{ v: value }] })),
        ...(page + 1 < pages.length ? { pageToken: String(page + 1) } : {}),
      },
    };
  };
}
