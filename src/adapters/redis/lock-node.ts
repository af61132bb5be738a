import { ReconcilerError } from "../../errors.ts";
import { checkOfConnection } from "./check-server.ts";
import type { RedisConnection } from "./connection.ts";

/**
 * One of the independent servers that vote on who holds what. A method is one call of one script, atomic on that server,
 * for all keys of a lock together, and takes no longer than the connection's time limits. A server that cannot carry locks
 * answers nothing but `free`, as one that is away: what it would say yes to it might throw away.
 */
export interface LockNode {
  /**
   * Takes all keys, or none where one is taken or the node does not know whether it is: after a loss of its memory it
   * grants nothing for as long as a lock may last. `number` is the clock in microseconds, and larger than every number recorded
   * here; where nothing was taken, the largest one recorded.
   * @throws ReconcilerError `redis_unavailable`, `redis_credentials`, `redis_unsuitable`, as all the others do
   */
  take(hold: Hold): Promise<{ readonly taken: boolean; readonly number: number }>;
  /** Makes the keys last for another `ttlMs`; false, and nothing is changed, where one is not this holder's any more. */
  renew(hold: Hold): Promise<boolean>;
  /** Gives a holder whom the majority confirmed the keys here too, where nobody has them; the node may have been away. */
  rejoin(hold: Hold): Promise<boolean>;
  /** Frees those of the keys that are this holder's. */
  free(hold: Hold): Promise<boolean>;
  /** Records that a number was given out, so that none as small is again. */
  record(number: number): Promise<boolean>;
  /** The largest number recorded here; 0 where none is. */
  lastNumber(): Promise<number>;
}

/** Who holds what, for how long. */
export interface Hold {
  /** Sorted, each once, at least one. */
  readonly keys: readonly string[];
  /** Of this lock alone; a key's value on the server. */
  readonly holder: string;
  readonly ttlMs: number;
}

/**
 * A server that was restarted, flushed or replaced by its replica has forgotten locks that their holders still believe in.
 * Its run id tells: where the one that is stored is not its own, it grants nothing until the last of those has ended.
 */
const noticeAmnesia = `
local run = string.match(redis.call('info', 'server'), 'run_id:(%w+)') or 'unknown'
if redis.call('get', KEYS[1]) ~= run then
  redis.call('set', KEYS[1], run)
  redis.call('set', KEYS[2], run, 'px', ARGV[2])
end`;

const takeScript = `${noticeAmnesia}
local last = tonumber(redis.call('get', KEYS[3]) or '0')
local free = redis.call('exists', KEYS[2]) == 0
for i = 4, #KEYS do free = free and redis.call('exists', KEYS[i]) == 0 end
if not free then return {0, string.format('%.0f', last)} end
for i = 4, #KEYS do redis.call('set', KEYS[i], ARGV[1], 'px', ARGV[2]) end
local time = redis.call('time')
local number = math.max(time[1] * 1000000 + time[2], last + 1)
return {1, string.format('%.0f', number)}`;

const renewScript = `${noticeAmnesia}
for i = 4, #KEYS do
  if redis.call('get', KEYS[i]) ~= ARGV[1] then return 0 end
end
for i = 4, #KEYS do redis.call('pexpire', KEYS[i], ARGV[2]) end
return 1`;

const rejoinScript = `
for i = 4, #KEYS do
  local holder = redis.call('get', KEYS[i])
  if holder and holder ~= ARGV[1] then return 0 end
end
for i = 4, #KEYS do redis.call('set', KEYS[i], ARGV[1], 'px', ARGV[2]) end
return 1`;

const freeScript = `
for i = 4, #KEYS do
  if redis.call('get', KEYS[i]) == ARGV[1] then redis.call('del', KEYS[i]) end
end
return 1`;

const recordScript = `
if tonumber(redis.call('get', KEYS[1]) or '0') < tonumber(ARGV[1]) then redis.call('set', KEYS[1], ARGV[1]) end
return 1`;

/**
 * @param keyspace what all keys begin with; locks of different keyspaces know nothing of each other
 * @param memory what the keys begin with by which the server's loss of its memory is noticed
 */
export function createLockNode(connection: RedisConnection, keyspace: string, memory: string): LockNode {
  const { client } = connection;
  const numberKey = `${keyspace}number`;
  const check = checkOfConnection(connection);
  const ask = async <T>(call: () => Promise<unknown>, parse: (reply: unknown) => T | null): Promise<T> => {
    let reply: unknown;
    try {
      reply = await call();
    } catch (error) {
      throw connection.failure(error);
    }
    const parsed = parse(reply);
    if (parsed !== null) return parsed;
    throw new ReconcilerError("redis_unavailable", `${connection.name} gave an answer that makes no sense`);
  };
  const run = (script: string, { keys, holder, ttlMs }: Hold): Promise<unknown> => {
    const own = [`${memory}memory`, `${memory}recovering`, numberKey];
    const all = [...own, ...keys.map((key) => `${keyspace}lock:${key}`)];
    return client.eval(script, all.length, ...all, holder, ttlMs);
  };
  const askChecked = async <T>(
    call: () => Promise<unknown>,
    parse: (reply: unknown) => T | null,
  ): Promise<T> => {
    // One that is away is not waited for: the call itself fails at once.
    if (client.status === "ready") await check();
    return ask(call, parse);
  };
  return {
    take: (hold) => askChecked(() => run(takeScript, hold), parseTaken),
    renew: (hold) => askChecked(() => run(renewScript, hold), parseFlag),
    rejoin: (hold) => askChecked(() => run(rejoinScript, hold), parseFlag),
    free: (hold) => ask(() => run(freeScript, hold), parseFlag),
    record: (number) => askChecked(() => client.eval(recordScript, 1, numberKey, number), parseFlag),
    lastNumber: () => askChecked(() => client.get(numberKey), parseNumber),
  };
}

function parseTaken(reply: unknown): { readonly taken: boolean; readonly number: number } | null {
  if (!isList(reply)) return null;
  const [flag, text] = reply;
  const [taken, number] = [parseFlag(flag), parseNumber(text)];
  return taken === null || number === null ? null : { taken, number };
}

function parseFlag(reply: unknown): boolean | null {
  return reply === 1 ? true : reply === 0 ? false : null;
}

function parseNumber(reply: unknown): number | null {
  const number = reply === null ? 0 : typeof reply === "string" ? Number(reply) : Number.NaN;
  return Number.isSafeInteger(number) ? number : null;
}

function isList(reply: unknown): reply is readonly unknown[] {
  return Array.isArray(reply);
}
