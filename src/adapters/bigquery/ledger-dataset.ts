import { z } from "zod";
import { ReconcilerError } from "../../errors.ts";
import { anyAnswer } from "./answers.ts";
import type { Api } from "./api.ts";
import type { AppendedState } from "./appended-table.ts";
import { ApiFailure } from "./failures.ts";
import { type LedgerPlace, placeText } from "./ledger-failures.ts";
import { ledgerTables, pipelineLabel, schemaLabel, schemaVersion } from "./ledger-tables.ts";
import type { Limits } from "./limits.ts";
import { quoteIdentifier } from "./sql-text.ts";

const datasetAnswer = z.object({ location: z.string().optional() });

export function datasetSql({ project, dataset }: LedgerPlace): string {
  return `${quoteIdentifier(project)}.${quoteIdentifier(dataset)}`;
}

/**
 * Makes the dataset with the tables and views of a ledger, each where it is not there. Two processes that make it at once
 * help each other.
 * @throws ApiFailure; ReconcilerError `ledger_unavailable`
 */
export async function makeLedger(
  api: Api,
  place: LedgerPlace,
  location: string | null,
  limits: Limits,
): Promise<void> {
  await makeDataset(api, place, location, limits);
  for (const [name, body] of ledgerTables(datasetSql(place), place.pipeline)) {
    const tableReference = { projectId: place.project, datasetId: place.dataset, tableId: name };
    await makeOnce(
      api,
      `/datasets/${encodeURIComponent(place.dataset)}/tables`,
      { tableReference, ...body },
      limits,
    );
  }
}

async function makeDataset(
  api: Api,
  place: LedgerPlace,
  location: string | null,
  limits: Limits,
): Promise<void> {
  const found = await locationOf(api, place, limits);
  if (found === null) {
    const body = {
      datasetReference: { projectId: place.project, datasetId: place.dataset },
      ...(location === null ? {} : { location }),
      description: "The ledger of gap-reconciler: attempts, outcomes, gaps, cycles and people's decisions.",
    };
    await makeOnce(api, "/datasets", body, limits);
  } else if (location !== null && found.toLowerCase() !== location.toLowerCase()) {
    throw new ReconcilerError(
      "ledger_unavailable",
      `expected the dataset ${place.project}.${place.dataset} in ${location}, where the jobs run, found it in ${found}`,
      {
        path: `${place.project}.${place.dataset}`,
        hint: "give the ledger a dataset that is not there yet, or one in the warehouse's location",
      },
    );
  }
}

/** Null where there is no such dataset. */
async function locationOf(api: Api, { dataset }: LedgerPlace, limits: Limits): Promise<string | null> {
  try {
    const call = { method: "GET", path: `/datasets/${encodeURIComponent(dataset)}` } as const;
    return (await api.call(call, datasetAnswer, limits)).location ?? "";
  } catch (error) {
    if (error instanceof ApiFailure && error.reason === "notFound") return null;
    throw error;
  }
}

async function makeOnce(api: Api, path: string, body: object, limits: Limits): Promise<void> {
  try {
    await api.call({ method: "POST", path, body }, anyAnswer, limits);
  } catch (error) {
    if (!(error instanceof ApiFailure && error.reason === "duplicate")) throw error;
  }
}

/** @throws ReconcilerError `ledger_unavailable` where a table is none of this pipeline's ledger, or of one that a later version made */
export function checkForm(place: LedgerPlace, table: string, { labels }: AppendedState): void {
  const found = labels[schemaLabel];
  const path = `${place.project}.${place.dataset}`;
  if (found === undefined) {
    throw new ReconcilerError(
      "ledger_unavailable",
      `expected ${placeText(place)}, found another table ${table}, without the label ${schemaLabel}`,
      { path, hint: "the ledger has a dataset of its own: name one that is not there yet" },
    );
  }
  const owner = labels[pipelineLabel];
  // Those of the first release do not name their pipeline.
  if (owner !== undefined && owner !== place.pipeline) {
    throw new ReconcilerError(
      "ledger_unavailable",
      `${placeText(place)} is the pipeline ${owner}'s, and this is the pipeline ${place.pipeline}`,
      {
        path,
        hint: `each pipeline has a ledger of its own: give ledger.dataset another name, such as ${place.pipeline.replaceAll("-", "_")}_reconciler`,
      },
    );
  }
  if (found === String(schemaVersion)) return;
  throw new ReconcilerError(
    "ledger_unavailable",
    `${placeText(place)} has tables of version ${found}, and this gap-reconciler knows version ${schemaVersion}`,
    { path, hint: "a later version of gap-reconciler wrote it: use that version, or another dataset" },
  );
}
