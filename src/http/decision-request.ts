import type { z } from "zod";
import type { DecisionRequest } from "../core/decide.ts";
import type { Decision, DecisionKind } from "../core/ledger-records.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { ReconcilerError } from "../errors.ts";
import { checkSelection, dateOf } from "./parse.ts";
import type { plainBody, waiveBody } from "./request-schemas.ts";

type Waive = z.output<typeof waiveBody>;
type Body = z.output<typeof plainBody> & {
  readonly owner?: Waive["owner"];
  readonly expires?: Waive["expires"];
  readonly downstream?: Waive["downstream"];
};

/**
 * What a body asks for, as a command line would.
 * @throws ReconcilerError `request_invalid` where it selects nothing, both all and something, or what there is not
 */
export function decisionRequest(kind: DecisionKind, body: Body, { processors }: Pipeline): DecisionRequest {
  checkIsSelected(kind, body);
  checkSelection(
    processors,
    { names: body.processors, phases: body.phases },
    { names: "body.processors", phases: "body.phases" },
  );
  const startDate = dateOf(body.start_date, "body.start_date");
  const endDate = dateOf(body.end_date, "body.end_date");
  const { actor, reason = "" } = body;
  const waiver =
    kind === "waive"
      ? {
          owner: body.owner ?? actor,
          expires: dateOf(body.expires, "body.expires"),
          downstream: body.downstream ?? ("exempt" as const),
        }
      : null;
  return { kind, processors: selected(kind, body, processors), startDate, endDate, actor, reason, waiver };
}

function checkIsSelected(kind: DecisionKind, { processors, phases, start_date, end_date, all }: Body): void {
  const isNamed = [processors, phases, start_date, end_date].some((part) => part !== undefined);
  if (isNamed !== (all === true)) return;
  throw new ReconcilerError(
    "request_invalid",
    all === true
      ? "expected either all or a selection, found both"
      : `expected a selection of what to ${kind}, found none`,
    {
      path: "body",
      hint: "give processors, phases, start_date or end_date; all: true means every processor and every date",
    },
  );
}

/** Null means all. A waiver names its processors, so that one that is added later is not waived with them. */
function selected(
  kind: DecisionKind,
  { processors: names, phases }: Body,
  processors: Pipeline["processors"],
): readonly string[] | null {
  if (names === undefined && phases === undefined && kind !== "waive") return null;
  const found = processors
    .filter(
      ({ name, phase }) =>
        (names === undefined || names.includes(name)) &&
        (phases === undefined || phases.includes(phase ?? "")),
    )
    .map(({ name }) => name);
  if (found.length > 0) return found;
  throw new ReconcilerError("request_invalid", "no processor is both in processors and in phases", {
    path: "body.processors",
  });
}

/** Whether a decision on record is what a request asks for. */
export function isSameDecision(decision: Decision, request: DecisionRequest): boolean {
  const { id, at, ...rest } = decision;
  return textOf(rest) === textOf(request);
}

function textOf({ kind, processors, startDate, endDate, actor, reason, waiver }: DecisionRequest): string {
  const { owner, expires, downstream } = waiver ?? {};
  return JSON.stringify([kind, processors, startDate, endDate, actor, reason, owner, expires, downstream]);
}
