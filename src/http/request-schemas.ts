import { z } from "zod";

/** Texts of people are kept for ever and shown on terminals: no control characters, and no novels. */
const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "a text without control characters" });

const name = z.string().min(1).max(200);
const date = z.iso.date({ error: "a date that exists, as YYYY-MM-DD" });

const selection = {
  processors: z
    .array(name)
    .min(1)
    .max(1000)
    .optional()
    .describe("Only these; every one of `phases` unless given."),
  phases: z.array(name).min(1).max(1000).optional().describe("Only processors of these phases."),
  start_date: date.optional().describe("First date, included; the schedule's first unless given."),
  end_date: date.optional().describe("Last date, included; no end unless given."),
  all: z
    .boolean()
    .optional()
    .describe(
      "Every processor and every date: to be said where nothing else is, so that a slip does not mean everything.",
    ),
};

const who = {
  actor: line(200).describe("Who decides; it is kept in the ledger."),
  dry_run: z.boolean().optional().describe("Only say what would happen."),
};

const reason = line(2000).describe("Why; it is kept in the ledger.");

/** Of decisions that somebody has to be told the reason of later. */
export const reasonedBody = z.strictObject({ ...selection, ...who, reason });
export const plainBody = z.strictObject({ ...selection, ...who, reason: reason.optional() });
export const waiveBody = z.strictObject({
  ...selection,
  ...who,
  reason,
  owner: line(200).optional().describe("Who answers for it; the actor unless given."),
  expires: date.optional().describe("The last date on which it holds; it never ends unless given."),
  downstream: z
    .enum(["exempt", "proceed"])
    .optional()
    .describe("What becomes of cells that depend on these; `exempt` unless given."),
});
export const cycleBody = z.strictObject({ dry_run: who.dry_run });

/** A query parameter may stand once or several times. */
const several = z.union([name.transform((one) => [one]), z.array(name).max(1000)], {
  error: "a name, or at most 1000 of them",
});

export const gridQuery = z.strictObject({
  processor: several.optional(),
  phase: several.optional(),
  start_date: date.optional(),
  end_date: date.optional(),
});

export const planQuery = z.strictObject({
  limit: z.coerce.number().int().min(0).max(10_000).default(1000),
});

export const cellParams = z.object({ processor: name, date });

/** Printable, as long as a program's own id may be. */
export const idempotencyKey = z.string().regex(/^[\x21-\x7e]{1,255}$/, {
  error: "1 to 255 printable characters without blanks",
});
