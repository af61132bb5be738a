import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface WebhookRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the JSON that was posted. */
  readonly body: unknown;
}

/** A local server that people's channels are made of: it answers as it is told to and remembers what it was sent. */
export interface WebhookServer {
  readonly url: string;
  /** In the order in which they arrived. */
  readonly requests: readonly WebhookRequest[];
  close(): Promise<void>;
}

/** @param answer gets each request with its number, from 1; 200 at once unless given. One that does not answer keeps it waiting. */
export async function startWebhook(
  answer: (response: ServerResponse, request: number) => void = (response) => response.end(),
): Promise<WebhookServer> {
  const requests: WebhookRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      requests.push({ path: incoming.url ?? "", headers: incoming.headers, body });
      answer(response, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${portOf(server.address())}/hook`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return address.port;
}
