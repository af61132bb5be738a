import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The command line as it is shipped; `npm test` builds it first. */
const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
/** Far beyond what any run here needs, on a busy machine too: a run that hangs is a failure, not a wait for ever. Within the three minutes of a test. */
const defaultPatienceMs = 170_000;

export interface CliOptions {
  readonly cwd: string;
  /** Beside PATH and HOME, which is all that the process gets otherwise. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long it may run before it is killed; nearly three minutes unless given. A daemon is to live as long as the test that started it. */
  readonly patienceMs?: number;
}

export interface CliResult {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The whole of stdout as JSON; throws where it is anything else. */
  json(): unknown;
}

export interface CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
}

/** Runs `reconcile` as a process of its own, to its end. */
export function reconcile(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return startReconcile(args, options).ended;
}

/** Starts `reconcile` and leaves it to the caller, who may send it a signal. */
export function startReconcile(args: readonly string[], options: CliOptions): CliProcess {
  const { cwd, env = {}, patienceMs = defaultPatienceMs } = options;
  const inherited = Object.fromEntries(
    ["PATH", "HOME"].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const child = spawn(process.execPath, [cli, ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const [out, err] = [Buffer.concat(stdout).toString("utf8"), Buffer.concat(stderr).toString("utf8")];
      resolve({ code, signal, stdout: out, stderr: err, json: (): unknown => JSON.parse(out) });
    });
  });
  return { child, ended };
}
