import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server on this machine, and makes the network between them bad. */
export interface TcpProxy {
  readonly port: number;
  /** From now on nothing comes through, in either direction, and no connection is closed. */
  silence(): void;
  /** Connections from now on lead to another server, as those to a name do; the others stay where they are. */
  redirect(targetPort: number): void;
  close(): void;
}

/** @param delayMs how much later everything arrives, in each direction */
export async function startTcpProxy(targetPort: number, delayMs = 0): Promise<TcpProxy> {
  let silent = false;
  let leadsTo = targetPort;
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.on("data", (data) => {
      const write = (): void => {
        if (!silent && !to.destroyed) to.write(data);
      };
      if (delayMs === 0) write();
      else setTimeout(write, delayMs);
    });
  };
  const server = createServer((client) => {
    const target = connect(leadsTo, "127.0.0.1");
    pass(client, target);
    pass(target, client);
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
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
