import { z } from "zod";
import { tryParseIsoDate } from "../../core/iso-date.ts";
import type { QueuedRepair } from "../../reconcile/ports/repair-queue.ts";

/** A date as YYYY-MM-DD. */
export const isoDate = z.string().transform((text, context) => {
  const date = tryParseIsoDate(text);
  if (date !== null) return date;
  context.addIssue({ code: "custom", message: "expected a date as YYYY-MM-DD" });
  return z.NEVER;
});

/** What is kept of a job in Redis. Keys that this version does not know are passed over. */
const payload = z.object({
  id: z.string().min(1),
  repair: z.string().min(1),
  dates: z
    .array(isoDate)
    .min(1)
    .refine((dates) => dates.every((date, index) => index === 0 || (dates[index - 1] ?? "") < date), {
      message: "expected ascending dates",
    }),
  attempt: z.int().min(1),
  reason: z.string(),
  cycleId: z.string(),
  epoch: z.int().min(0),
});

export type ParsedPayload =
  | { readonly kind: "readable"; readonly job: QueuedRepair }
  /** Another version wrote it, or somebody who is not one of us. */
  | { readonly kind: "unreadable"; readonly message: string };

/** @param data as parsed from JSON; undefined where it was none */
export function parsePayload(data: unknown): ParsedPayload {
  const result = payload.safeParse(data);
  if (result.success) return { kind: "readable", job: result.data };
  const [issue] = result.error.issues;
  const path = issue?.path.join(".") ?? "";
  return { kind: "unreadable", message: `${path === "" ? "payload" : path}: ${issue?.message ?? "invalid"}` };
}

/** The value of a JSON text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As BullMQ takes ids: without a colon, and no number. Different ids stay different. */
export function jobIdOf(id: string): string {
  return `repair-${id.replaceAll("%", "%25").replaceAll(":", "%3A")}`;
}
