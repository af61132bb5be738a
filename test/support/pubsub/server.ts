/** A local Pub/Sub for tests: it takes messages for any topic, and keeps them. */
import { type ApiServer, startApiServer } from "../api-server.ts";
import { googleErrorBody } from "../google-errors.ts";

export interface PubsubMessage {
  /** In base64. */
  readonly data: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly orderingKey?: string;
}

export interface PubsubServer extends ApiServer {
  /** Told of each message that is taken, as a subscriber is. */
  onMessage(listener: (message: PubsubMessage) => void): void;
  /** The messages that were taken, by whatever topic. */
  readonly messages: readonly PubsubMessage[];
  /** Takes away the permission to publish. */
  deny(): void;
}

export async function startPubsub(secret: string): Promise<PubsubServer> {
  const messages: PubsubMessage[] = [];
  const listeners: ((message: PubsubMessage) => void)[] = [];
  let isDenied = false;
  const server = await startApiServer({
    errorBody: googleErrorBody,
    secret,
    routes: [
      {
        name: "topics.publish",
        method: "POST",
        pattern: /^\/v1\/projects\/[^/]+\/topics\/[^/:]+:publish$/,
        handle({ body }) {
          const sent = (body as { readonly messages: readonly PubsubMessage[] }).messages;
          messages.push(...sent);
          for (const message of sent) for (const listener of listeners) listener(message);
          return {
            status: 200,
            body: { messageIds: sent.map((_, index) => String(messages.length + index)) },
          };
        },
      },
      {
        name: "topics.testIamPermissions",
        method: "POST",
        pattern: /^\/v1\/projects\/[^/]+\/topics\/[^/:]+:testIamPermissions$/,
        handle: ({ body }) => ({ status: 200, body: isDenied ? {} : (body as object) }),
      },
    ],
  });
  return {
    ...server,
    messages,
    onMessage: (listener) => void listeners.push(listener),
    deny() {
      isDenied = true;
    },
  };
}
