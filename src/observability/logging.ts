import { redact } from "../core/redact.ts";
import pino, { type Logger } from "pino";
import pretty from "pino-pretty";

export const logLevels = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggingOptions {
  readonly level: LogLevel;
  /** For a person's eyes instead of a program's. */
  readonly pretty: boolean;
  /** Values that must not appear in any line. */
  readonly secrets: readonly string[];
}

/** Logs to stderr, synchronously, so that the last line before an exit is not lost. */
export function createLogger(options: LoggingOptions): Logger {
  const stderr = pino.destination({ dest: 2, sync: true });
  // A log that nobody reads any more, or whose disk is full, must not end the repairs that it tells of.
  stderr.on("error", () => undefined);
  const destination = options.pretty
    ? pretty({ destination: stderr, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" })
    : stderr;
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: (line) => redact(line, options.secrets) },
    },
    destination,
  );
}
