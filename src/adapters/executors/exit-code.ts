import type { ExitCodes } from "../../core/repair-action.ts";
import { type Failure, permanent, retryable } from "./run-result.ts";

/** What a program's exit code means, as its repair says; `who` begins the message. 0 is no failure and not asked about. */
export function judgeExitCode(
  code: number,
  exitCodes: ExitCodes,
  who: string,
  logTail: string | null,
): Failure {
  const isPermanent = exitCodes.permanent.includes(code) && !exitCodes.retryable.includes(code);
  const message = `${who} ended with exit code ${code}`;
  return (isPermanent ? permanent : retryable)(`exit_${code}`, message, logTail);
}
