#!/usr/bin/env node
import { constants } from "node:os";
import { buildProgram } from "./commands/program.ts";
import type { Surroundings } from "./commands/shared.ts";
import { messageOf, ReconcilerError } from "./errors.ts";
import { errorDocument, renderError } from "./terminal/error.ts";
import { terminalOf } from "./terminal/terminal.ts";

/** As the process was given it. */
const env = { ...process.env };
// Where it is set, libraries print what they send, credentials included, past all that masks them.
delete process.env["DEBUG"];

const stop = new AbortController();
let stoppedBy: "SIGINT" | "SIGTERM" | null = null;
let exitCode = 0;
let exitCodeAfterSignal: number | null = null;

/** The first signal stops cleanly, the second at once: children notice the end of this process and end too. */
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (stoppedBy !== null) process.exit(128 + constants.signals[signal]);
    stoppedBy = signal;
    // Aborted first, so that progress is taken away before this line is written.
    stop.abort();
    if (process.stderr.isTTY) process.stderr.write("stopping cleanly; once more stops at once\n");
  });
}

// A reader that has seen enough, such as head, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCode);
  const hint =
    "what was repaired is repaired and recorded; make room there, or write it elsewhere, and run it again";
  tell(
    new ReconcilerError("write_failed", `stdout cannot be written: ${messageOf(error)}`, {
      hint,
      cause: error,
    }),
  );
  process.exit(1);
});
// Nobody reads the logs any more, or their disk is full: there is no one left to tell, and the repairs go on.
process.stderr.on("error", () => undefined);

const surroundings: Surroundings = {
  env,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  signal: stop.signal,
  exitWith: (code) => {
    exitCode = code;
  },
  exitAfterSignalWith: (code) => {
    exitCodeAfterSignal = code;
  },
};

const arguments_ = process.argv.slice(2);
try {
  await buildProgram(surroundings).parseAsync(arguments_, { from: "user" });
} catch (error) {
  exitCode = 1;
  const isStop = stoppedBy !== null && error instanceof ReconcilerError && error.code === "interrupted";
  const asJson = arguments_.some(
    (text, index) => text === "--format=json" || (text === "--format" && arguments_[index + 1] === "json"),
  );
  if (asJson) process.stdout.write(`${JSON.stringify(errorDocument(error), null, 2)}\n`);
  else if (isStop) process.stderr.write("stopped before there was a result\n");
  else tell(error);
}
// Everything has ended by now but calls that nobody waits for any more: an answer that never comes must not keep the process.
await Promise.all([process.stdout, process.stderr].map(flushed));
process.exit(stoppedBy === null ? exitCode : (exitCodeAfterSignal ?? 128 + constants.signals[stoppedBy]));

/** What was written before is with the system then, or there is nobody to read it. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

function tell(error: unknown): void {
  process.stderr.write(renderError(error, terminalOf(process.stderr, {}, env)));
}
