import type { RedisConnection } from "./connection.ts";

/**
 * The outcome of a call, or the connection's `redis_unavailable` after `limitMs`, because a library may wait for a server
 * that is away for as long as it is away. A call that is too late may have its effect all the same.
 */
export async function limited<T>(
  connection: RedisConnection,
  limitMs: number,
  call: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([call(), late]);
  } catch (error) {
    throw connection.failure(error);
  } finally {
    clearTimeout(timer);
  }
}
