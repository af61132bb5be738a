import type { BigQueryStorage, DuckDbStorage, Storage } from "./config.ts";
import { quoteText } from "./issues.ts";
import { absolutePath, type Loaded } from "./loaded.ts";
import type { DocumentInput } from "./schema/document.ts";
import { treeAt } from "./tree.ts";

type WarehouseDocument = DocumentInput["warehouse"];

/** Where the tables and the ledger are. It is sound only where `loaded.issues` stays empty. */
export function resolveStorage(loaded: Loaded): Storage {
  const { warehouse } = loaded.document;
  return warehouse.type === "duckdb" ? duckDb(loaded, warehouse) : bigQuery(loaded, warehouse);
}

function duckDb(
  { document, tree, issues, folder }: Loaded,
  warehouse: Extract<WarehouseDocument, { type: "duckdb" }>,
): DuckDbStorage {
  const { ledger } = document;
  if (warehouse.path === ":memory:") {
    issues.addAt(tree, ["warehouse", "path"], {
      expected: "a file: a warehouse in memory is gone with the process",
    });
  }
  if (ledger.dataset !== undefined) {
    issues.addAt(tree, ["ledger", "dataset"], {
      expected: "ledger.path, as the warehouse is a DuckDB file",
      hint: "the ledger lives beside the data: a file beside a file, a dataset beside datasets",
    });
  }
  const path = absolutePath(folder, warehouse.path);
  const beside = `${path.replace(/\.(duckdb|db)$/, "")}.ledger.duckdb`;
  const ledgerPath = ledger.path === undefined ? beside : absolutePath(folder, ledger.path);
  if (ledgerPath === path) {
    issues.addAt(tree, ["ledger", "path"], {
      expected: "a file of its own",
      found: "the warehouse's file",
      hint: `leave it out for ${beside}`,
    });
  }
  return { type: "duckdb", path, ledgerPath, queryTimeoutMs: warehouse.query_timeout };
}

/** These are ours: a label of the same name would hide who asked, and for what. */
const ownLabels: readonly string[] = ["pipeline", "target", "purpose"];
const labelKey = /^[a-z][a-z0-9_-]{0,62}$/;
const labelValue = /^[a-z0-9_-]{0,63}$/;

function bigQuery(
  { document, tree, issues }: Loaded,
  warehouse: Extract<WarehouseDocument, { type: "bigquery" }>,
): BigQueryStorage {
  const { ledger } = document;
  if (ledger.path !== undefined) {
    issues.addAt(tree, ["ledger", "path"], {
      expected: "ledger.dataset, as the warehouse is BigQuery",
      hint: "the ledger lives beside the data, where every process finds it",
    });
  } else if (treeAt(tree, ["ledger", "dataset"]) === null) {
    issues.addAt(tree, ["ledger"], {
      expected: "a dataset for the ledger: ledger.dataset",
      hint: `add ledger: { dataset: ${document.pipeline.replaceAll("-", "_")}_reconciler }, then make it with \`reconcile validate --connect --create\``,
    });
  }
  for (const [key, value] of Object.entries(warehouse.labels)) {
    const place = ["warehouse", "labels", key];
    if (ownLabels.includes(key)) {
      issues.addAt(tree, place, {
        expected: `a name other than ${ownLabels.join(", ")}: those are set already`,
      });
    } else if (!labelKey.test(key)) {
      issues.addAt(tree, place, {
        expected: "a name of at most 63 lower-case letters, digits, - and _, beginning with a letter",
        found: quoteText(key),
      });
    } else if (!labelValue.test(value)) {
      issues.addAt(tree, place, { expected: "at most 63 lower-case letters, digits, - and _" });
    }
  }
  return {
    type: "bigquery",
    project: warehouse.project,
    location: warehouse.location ?? null,
    maximumBytesBilled: warehouse.maximum_bytes_billed ?? null,
    queryTimeoutMs: warehouse.query_timeout,
    labels: warehouse.labels,
    pricePerTibUsd: warehouse.price_per_tib_usd,
    fullProfileEveryMs: warehouse.full_profile_every,
    apiEndpoint: warehouse.api_endpoint ?? null,
    ledgerDataset: ledger.dataset ?? "",
  };
}
