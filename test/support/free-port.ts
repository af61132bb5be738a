// Ports for servers that can only be told a number: between the choice and the start another process must not be given the same.
import { once } from "node:events";
import { createServer } from "node:net";

/** Below what the kernel gives to whoever asks for any port, and connects from: 32768 and more. */
const portMin = 10_000;
const [portsPerWorker, workersMax] = [1_000, 20];
/** Those of this process alone, of all that run the tests. */
const worker = Number(process.env["VITEST_POOL_ID"] ?? process.pid) % workersMax;
/** Another run of the tests at the same time begins elsewhere. */
let next = Math.floor(Math.random() * portsPerWorker);

/** A port on 127.0.0.1 where nobody listens, and which no other call gives: a server that is ended finds it free again. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < portsPerWorker; tried++) {
    const port = portMin + worker * portsPerWorker + (next++ % portsPerWorker);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port was found");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
