import type { RedisConfig } from "./config.ts";
import { addSecret } from "./interpolate.ts";
import type { Loaded } from "./loaded.ts";
import { readSecret } from "./read-secret.ts";
import type { TreePath } from "./tree.ts";

/** The Redis of several processes; null where there is none. What it reads of secrets is added to `secrets`. */
export async function resolveRedis(loaded: Loaded, secrets: Set<string>): Promise<RedisConfig | null> {
  const { document, issues, tree } = loaded;
  const { redis, warehouse } = document;
  if (redis === undefined) return null;
  if (warehouse.type === "duckdb") {
    issues.addAt(tree, ["redis"], {
      expected: "no redis with a warehouse that is one DuckDB file",
      hint: "several processes would wait for one file; redis goes with warehouse.type bigquery",
    });
  }
  checkUrl(loaded, ["redis", "url"], redis.url);
  for (const [index, url] of redis.lock_urls.entries()) checkUrl(loaded, ["redis", "lock_urls", index], url);
  const secret = async (path: readonly string[], file: string | undefined): Promise<string | null> => {
    if (file === undefined) return null;
    const text = await readSecret(loaded, ["redis", ...path], file);
    if (text !== null) addSecret(secrets, text);
    return text;
  };
  const { sentinel } = redis;
  return {
    url: redis.url,
    lockUrls: redis.lock_urls,
    username: redis.username ?? null,
    password: await secret(["password_file"], redis.password_file),
    database: redis.database ?? null,
    ca: redis.ca_file === undefined ? null : await readSecret(loaded, ["redis", "ca_file"], redis.ca_file),
    sentinel:
      sentinel === undefined
        ? null
        : {
            master: sentinel.master,
            nodes: sentinel.nodes,
            username: sentinel.username ?? null,
            password: await secret(["sentinel", "password_file"], sentinel.password_file),
          },
  };
}

/** What is wrong with a URL is told where it stands, not by the daemon when it starts; it may hold a password. */
function checkUrl({ issues, tree }: Loaded, path: TreePath, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== "") return;
  issues.addAt(tree, path, {
    expected: "redis://host:port/database, or rediss:// for TLS",
    found: "another text, which is not shown",
    hint: "percent-encode what is not a letter or digit in a password, or put it into password_file",
  });
}
