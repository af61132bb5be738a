import type { NotifyConfig } from "./config.ts";
import { addSecret } from "./interpolate.ts";
import type { Loaded } from "./loaded.ts";
import { readSecret } from "./read-secret.ts";
import type { DocumentInput } from "./schema/document.ts";

type NotifyDocument = DocumentInput["notify"][string];

/** Who is told of what happens, in file order. Their URLs are added to `secrets`: whoever knows one may speak there. */
export async function resolveNotify(loaded: Loaded, secrets: Set<string>): Promise<readonly NotifyConfig[]> {
  const receivers: NotifyConfig[] = [];
  for (const [name, receiver] of Object.entries(loaded.document.notify)) {
    const url = await urlOf(loaded, name, receiver);
    if (url === null) continue;
    addSecret(secrets, url);
    const { format, events, headers, timeout } = receiver;
    receivers.push({ name, url, format, events, headers, timeoutMs: timeout });
  }
  return receivers;
}

/** Null where there is none to use, which is reported without showing it. */
async function urlOf(loaded: Loaded, name: string, receiver: NotifyDocument): Promise<string | null> {
  const { issues, tree } = loaded;
  const { url, url_file: file } = receiver;
  const path = ["notify", name];
  if ((url === undefined) === (file === undefined)) {
    issues.addAt(tree, path, {
      expected: "either url or url_file",
      found: url === undefined ? "neither" : "both",
      hint: "a URL that lets anybody post is better kept in a file: url_file: /run/secrets/webhook",
    });
    return null;
  }
  const text = file === undefined ? (url ?? null) : await readSecret(loaded, [...path, "url_file"], file);
  if (text === null) return null;
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed?.protocol === "https:" || parsed?.protocol === "http:") return text;
  issues.addAt(tree, [...path, file === undefined ? "url" : "url_file"], {
    expected: "a URL of https or http",
    found: "another text, which is not shown",
  });
  return null;
}
