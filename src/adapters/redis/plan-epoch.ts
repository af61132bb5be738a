import type { RedisConnection } from "./connection.ts";
import { keyPrefix } from "./server.ts";

/** Remembers the newest epoch of all that were named, and returns it. As text, because Redis rounds numbers to integers of its own. */
const noteScript = `
local newest = math.max(tonumber(redis.call('get', KEYS[1]) or '0'), tonumber(ARGV[1]))
redis.call('set', KEYS[1], string.format('%.0f', newest))
return string.format('%.0f', newest)`;

/** The newest epoch under which any process has enqueued, as far as Redis and this process know. */
export class PlanEpoch {
  readonly #connection: RedisConnection;
  readonly #key: string;
  /** Redis may forget; what this process has seen still counts. */
  #newest = 0;

  constructor(connection: RedisConnection, pipeline: string) {
    this.#connection = connection;
    this.#key = `${keyPrefix(pipeline)}plan-epoch`;
  }

  /** The newest epoch of all; 0 where there was none. */
  newest(): Promise<number> {
    return this.note(0);
  }

  /** The newest epoch, which is `epoch` itself where it is not outdated. From now on older ones are. */
  async note(epoch: number): Promise<number> {
    const known = Math.max(epoch, this.#newest);
    const reply: unknown = await this.#connection.client.eval(noteScript, 1, this.#key, known);
    this.#newest = Math.max(known, Number(reply));
    return this.#newest;
  }
}
