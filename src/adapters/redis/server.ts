import type { RedisOptions } from "ioredis";
import { ReconcilerError } from "../../errors.ts";

export interface RedisSettings {
  /**
   * `redis://host:port/database`, or `rediss://` for TLS. Credentials in it count where `username` and `password` are null,
   * its database where `database` is. With Sentinel its host and port are not used.
   */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number | null;
  /** PEM certificates to trust besides those that Node does, for a server with an authority of its own. */
  readonly ca: string | null;
  readonly sentinel: SentinelSettings | null;
}

export interface SentinelSettings {
  /** The name of the group whose primary is meant. */
  readonly master: string;
  /** `host:port` of each, at least one. */
  readonly nodes: readonly string[];
  /** Of the Sentinels themselves, where they have users. */
  readonly username: string | null;
  /** Of the Sentinels themselves, where they ask for one. */
  readonly password: string | null;
}

/** One Redis server, or the primary of a Sentinel group. */
export interface RedisServer {
  /** As errors and logs call it: without credentials. */
  readonly name: string;
  readonly tls: boolean;
  /** What must never be printed. */
  readonly secrets: readonly string[];
  /** Where it is and who asks, for the client library. */
  readonly options: RedisOptions;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

const defaultPorts = { redis: 6379, sentinel: 26379 } as const;

/**
 * The server that settings name. Nothing is opened.
 * @throws ReconcilerError `config_invalid`; the text never holds the URL, which may hold a password
 */
export function redisServer(settings: RedisSettings): RedisServer {
  const url = parseUrl(settings.url);
  const tls = url.protocol === "rediss:";
  const username = settings.username ?? decoded(url.username);
  const password = settings.password ?? decoded(url.password);
  const database = settings.database ?? databaseOf(url);
  const { sentinel } = settings;
  const place = { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: portOf(url, defaultPorts.redis) };
  const nodes = sentinel?.nodes.map(parsePlace) ?? [];
  const tlsOptions = settings.ca === null ? {} : { ca: settings.ca };
  return {
    name: nameOf(sentinel, sentinel === null ? [place] : nodes, tls, database),
    tls,
    secrets: [username, password, sentinel?.username ?? null, sentinel?.password ?? null].filter(
      (secret) => secret !== null,
    ),
    options: {
      db: database,
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
      ...(tls ? { tls: tlsOptions } : {}),
      ...(sentinel === null
        ? place
        : {
            name: sentinel.master,
            sentinels: [...nodes],
            ...(sentinel.username === null ? {} : { sentinelUsername: sentinel.username }),
            ...(sentinel.password === null ? {} : { sentinelPassword: sentinel.password }),
            ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions } : {}),
          }),
    },
  };
}

/**
 * What every key of a pipeline begins with. The braces are Redis's: they keep all keys of a pipeline in one slot, as scripts
 * over many keys need.
 */
export function keyPrefix(pipeline: string): string {
  return `gap-reconciler:{${pipeline}}:`;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === "redis:" || url.protocol === "rediss:") && url.hostname !== "") {
    return url;
  }
  const found = url === null ? "something that is no URL" : `a URL that begins with ${url.protocol}//`;
  throw new ReconcilerError("config_invalid", `expected redis://host:port/database, found ${found}`, {
    path: "redis.url",
    hint: "use rediss:// for TLS; percent-encode what is not a letter or digit in a password, or put it into password_file",
  });
}

/** Null for the empty text, which a URL has where there is nothing. */
function decoded(part: string): string | null {
  if (part === "") return null;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ReconcilerError(
      "config_invalid",
      "the user or password in the URL has a % that encodes nothing",
      {
        path: "redis.url",
        hint: "write %25 for a percent sign, or put the password into password_file",
      },
    );
  }
}

function databaseOf({ pathname }: URL): number {
  const text = pathname.replace(/^\//, "");
  if (/^\d{0,5}$/.test(text)) return Number(text);
  throw new ReconcilerError(
    "config_invalid",
    `expected the number of a database behind the host, found ${text}`,
    {
      path: "redis.url",
      hint: "a server has databases 0 to 15 unless it was told otherwise",
    },
  );
}

function portOf({ port }: URL, otherwise: number): number {
  return port === "" ? otherwise : Number(port);
}

function parsePlace(text: string): Place {
  const url = URL.canParse(`redis://${text}`) ? new URL(`redis://${text}`) : null;
  if (url !== null && url.hostname !== "" && url.host === text.toLowerCase()) {
    return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: portOf(url, defaultPorts.sentinel) };
  }
  throw new ReconcilerError("config_invalid", "expected host:port of a Sentinel, found something else", {
    path: "redis.sentinel.nodes",
  });
}

function nameOf(
  sentinel: SentinelSettings | null,
  places: readonly Place[],
  tls: boolean,
  database: number,
): string {
  const hosts = places
    .map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`)
    .join(",");
  const master = sentinel === null ? "" : `${sentinel.master}@`;
  return `${tls ? "rediss" : "redis"}${sentinel === null ? "" : "+sentinel"}://${master}${hosts}/${database}`;
}
