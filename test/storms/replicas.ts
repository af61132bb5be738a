// Several daemons of one pipeline: who of them planned when, and what each logged.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type CliProcess, type CliResult, startReconcile } from "../support/cli.ts";

const logLine = z.looseObject({
  msg: z.string(),
  leading: z.boolean().optional(),
  repair: z.string().optional(),
  repair_id: z.string().optional(),
});
export type LogLine = z.infer<typeof logLine>;

/** When a replica planned, by the monotonic clock of the test: by a faked one nothing could be compared. */
export interface Reign {
  readonly pid: number;
  readonly from: number;
  to: number;
}

export interface Replica {
  readonly pid: number;
  readonly ended: Promise<CliResult>;
  readonly isLeading: boolean;
  readonly log: readonly LogLine[];
  signal(name: NodeJS.Signals): void;
  /** Resolves with the first line that fits, of those to come. */
  next(fits: (line: LogLine) => boolean): Promise<LogLine>;
}

/** The longest that any storm lasts; a daemon that outlives it is killed. */
const patienceMs = 480_000;

export class Replicas {
  readonly #cwd: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #all: Replica[] = [];
  readonly #reigns: Reign[] = [];

  constructor({ folder, env }: { readonly folder: string; readonly env: Readonly<Record<string, string>> }) {
    this.#cwd = folder;
    this.#env = env;
  }

  get reigns(): readonly Reign[] {
    return this.#reigns;
  }

  get alive(): readonly Replica[] {
    return this.#all.filter(({ pid }) => !this.#ended.has(pid));
  }

  readonly #ended = new Set<number>();

  /** @param env beside that of all replicas */
  start(env: Readonly<Record<string, string>> = {}): Replica {
    const daemon = startReconcile(["daemon", "--log-level", "debug"], {
      cwd: this.#cwd,
      env: { ...this.#env, ...env },
      patienceMs,
    });
    const replica = this.#watch(daemon);
    this.#all.push(replica);
    return replica;
  }

  #watch({ child, ended }: CliProcess): Replica {
    const pid = child.pid ?? 0;
    const log: LogLine[] = [];
    const waiting = new Set<(line: LogLine) => void>();
    let reign: Reign | null = null;
    const close = () => {
      if (reign !== null) reign.to = performance.now();
      reign = null;
    };
    let rest = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = lines.pop() ?? "";
      for (const text of lines) {
        const line = logLine.parse(JSON.parse(text));
        log.push(line);
        if (line.leading === false) close();
        if (line.leading === true)
          this.#reigns.push((reign = { pid, from: performance.now(), to: Infinity }));
        for (const tell of waiting) tell(line);
      }
    });
    child.once("exit", () => {
      this.#ended.add(pid);
      close();
    });
    return {
      pid,
      ended,
      log,
      get isLeading() {
        return reign !== null;
      },
      signal: (name) => void child.kill(name),
      next: (fits) =>
        new Promise((resolve) => {
          const tell = (line: LogLine) => {
            if (!fits(line)) return;
            waiting.delete(tell);
            resolve(line);
          };
          waiting.add(tell);
        }),
    };
  }

  /** All that live take the signal and end; resolves with what became of each. */
  async stopAll(signal: NodeJS.Signals): Promise<readonly CliResult[]> {
    const { alive } = this;
    // What was stopped takes no other signal.
    for (const replica of alive) replica.signal("SIGCONT");
    for (const replica of alive) replica.signal(signal);
    return Promise.all(alive.map(({ ended }) => ended));
  }

  /** The end of what each replica logged. */
  async logs(): Promise<string> {
    await this.stopAll("SIGKILL");
    const results = await Promise.all(this.#all.map(({ ended }) => ended));
    return results.map(({ stderr }, index) => `-- replica ${index + 1}\n${stderr.slice(-6000)}`).join("\n");
  }
}

/** Asks once a second, which is no load, and no longer than `limitMs`. */
export async function until(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  limitMs = 150_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`expected ${what} within ${limitMs / 1000} s`);
    await sleep(1000);
  }
}
