// Builds an image without a container engine: does what the Dockerfile says, step by step, in folders that stand for the
// stages, and starts what came out of it as the image would be started.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseStages, type Stage } from "./dockerfile.ts";

const checkout = fileURLToPath(new URL("../../../", import.meta.url));
const stepMs = 300_000;

export interface StartOptions {
  /** The folder that is mounted at the image's working folder. */
  readonly config: string;
  /** Instead of the image's own CMD. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface ReplayedImage {
  /** What is `/` in the image. Nobody may write in it. */
  readonly root: string;
  /** The instructions, in words, with the seconds that each took. */
  readonly done: readonly { readonly what: string; readonly seconds: number }[];
  /** Starts the image's entry point as the image's user (where this process may), with nothing to write to but its own /tmp. */
  start(options: StartOptions): ChildProcess;
  remove(): void;
}

/** @throws where a step fails, with the end of what it said */
export function replayImage(): ReplayedImage {
  const stages = parseStages(readFileSync(join(checkout, "Dockerfile"), "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "gap-reconciler-image-"));
  try {
    // Another user has to get in.
    chmodSync(folder, 0o755);
    const done = stages.flatMap((stage, index) =>
      replayStage(stage, rootOf(folder, stages, index), folder, stages),
    );
    const last = stages.at(-1);
    if (last === undefined) throw new Error("the Dockerfile has no stage");
    const root = rootOf(folder, stages, stages.length - 1);
    bringNode(root);
    run(["chmod", "-R", "a-w", root], folder);
    return {
      root,
      done,
      start: (options) => start(last, root, folder, options),
      remove: () => remove(folder),
    };
  } catch (error) {
    remove(folder);
    throw error;
  }
}

function rootOf(folder: string, stages: readonly Stage[], index: number): string {
  return join(folder, stages[index]?.name || "image");
}

function replayStage(stage: Stage, root: string, folder: string, stages: readonly Stage[]) {
  let here = root;
  mkdirSync(root, { recursive: true });
  return stage.steps.map((step) => {
    const start = performance.now();
    const what = replay();
    return { what, seconds: (performance.now() - start) / 1000 };

    function replay(): string {
      switch (step.kind) {
        case "work_in":
          here = step.folder.startsWith("/") ? join(root, step.folder) : join(here, step.folder);
          mkdirSync(here, { recursive: true });
          return `WORKDIR ${step.folder}`;
        case "copy": {
          const from =
            step.from === null
              ? checkout
              : rootOf(
                  folder,
                  stages,
                  stages.findIndex(({ name }) => name === step.from),
                );
          for (const source of step.sources)
            copy(join(from, source), join(here, step.to), step.to.endsWith("/"));
          return `COPY ${step.sources.join(" ")} ${step.to}`;
        }
        case "run":
          run(step.command, here);
          return `RUN ${step.command.join(" ")}`;
      }
    }
  });
}

/** As COPY does: a folder gives what is in it, a file goes into a folder or takes the name. */
function copy(source: string, to: string, isFolder: boolean): void {
  const isFile = statSync(source).isFile();
  cpSync(source, isFile && isFolder ? join(to, basename(source)) : to, {
    recursive: true,
    verbatimSymlinks: true,
  });
}

/** The base image's own part: where distroless has Node. */
function bringNode(root: string): void {
  const place = join(root, "nodejs/bin");
  mkdirSync(place, { recursive: true });
  copyFileSync(process.execPath, join(place, "node"));
  chmodSync(join(place, "node"), 0o555);
}

function run([program = "", ...args]: readonly string[], cwd: string): void {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: surroundings(),
    encoding: "utf8",
    timeout: stepMs,
  });
  if (status === 0) return;
  const said = `${stdout}${stderr}`.split("\n").slice(-20).join("\n");
  throw new Error(`${[program, ...args].join(" ")} failed: ${error?.message ?? `status ${status}`}\n${said}`);
}

/** Without what npm and the tests say to their own children. */
function surroundings(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(lifecycle|package|config_local_prefix)|NODE_|VITEST|INIT_CWD)/.test(name),
  );
  return { ...Object.fromEntries(inherited), npm_config_prefer_offline: "true" };
}

function start(stage: Stage, root: string, folder: string, options: StartOptions): ChildProcess {
  const [program = "", ...fixed] = stage.entrypoint.map((word) =>
    word.startsWith("/") ? join(root, word) : word,
  );
  const [uid = 0, gid = 0] = stage.user.split(":").map(Number);
  const isRoot = process.getuid?.() === 0;
  const tmp = mkdtempSync(join(folder, "tmp-"));
  chmodSync(tmp, 0o777);
  return spawn(program, [...fixed, ...(options.args ?? stage.command)], {
    cwd: options.config,
    env: { ...stage.env, HOME: "/home/nonroot", TMPDIR: tmp, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(isRoot ? { uid, gid } : {}),
  });
}

function remove(folder: string): void {
  // Whoever is not root cannot remove from folders that nobody may write to.
  spawnSync("chmod", ["-R", "u+w", folder]);
  rmSync(folder, { recursive: true, force: true });
}
