import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server on this machine, and makes the network between them bad. */
export interface TcpProxy {
  readonly port: number;
  /** From now on nothing comes through, in either direction, and no connection is closed. */
  silence(): void;
  /** Connections from now on lead to another server, as those to a name do; the others stay where they are. */
  redirect(targetPort: number): void;
  /** The answers to the next message that holds the text, and all after it, are kept back until they are let go. */
  holdAnswersTo(text: string): { letGo(): void };
  close(): void;
}

/** @param delayMs how much later everything arrives, in each direction */
export async function startTcpProxy(targetPort: number, delayMs = 0): Promise<TcpProxy> {
  let silent = false;
  let leadsTo = targetPort;
  let heldFrom: string | null = null;
  let held: (() => void)[] | null = null;
  const sockets = new Set<Socket>();
  const asked = (data: Buffer): void => {
    if (heldFrom !== null && data.includes(heldFrom)) [heldFrom, held] = [null, []];
  };
  const answered = (write: () => void): void => {
    if (held === null) write();
    else held.push(write);
  };
  const pass = (from: Socket, to: Socket, direction: "there" | "back"): void => {
    sockets.add(from);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.on("data", (data) => {
      const write = (): void => {
        if (!silent && !to.destroyed) to.write(data);
      };
      if (direction === "there") asked(data);
      if (delayMs > 0) setTimeout(write, delayMs);
      else if (direction === "there") write();
      else answered(write);
    });
  };
  const server = createServer((client) => {
    const target = connect(leadsTo, "127.0.0.1");
    pass(client, target, "there");
    pass(target, client, "back");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return {
    port: address.port,
    silence() {
      silent = true;
    },
    redirect(port) {
      leadsTo = port;
    },
    holdAnswersTo(text) {
      heldFrom = text;
      return {
        letGo() {
          const writes = held ?? [];
          [heldFrom, held] = [null, null];
          for (const write of writes) write();
        },
      };
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
