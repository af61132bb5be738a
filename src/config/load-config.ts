import { dirname, resolve } from "node:path";
import { ReconcilerError } from "../errors.ts";
import { applyDefaults } from "./apply-defaults.ts";
import type { Config, HttpConfig } from "./config.ts";
import { addSecret, secretFilesOf, type InterpolationSource } from "./interpolate.ts";
import { IssueList } from "./issues.ts";
import { absolutePath, knownNames, type Loaded } from "./loaded.ts";
import { maskedJson, sortSecrets } from "./mask-secrets.ts";
import { parseYaml } from "./parse-yaml.ts";
import { prepare } from "./prepare.ts";
import { readTextFile, type TextFile } from "./read-text-file.ts";
import { readSecret, secretBytesMax } from "./read-secret.ts";
import { resolveDaemon } from "./resolve-daemon.ts";
import { resolveNotify } from "./resolve-notify.ts";
import { resolvePipeline } from "./resolve-pipeline.ts";
import { resolveRedis } from "./resolve-redis.ts";
import { resolveStorage } from "./resolve-storage.ts";
import { salvage } from "./salvage.ts";
import { documentSchema, type DocumentInput } from "./schema/document.ts";
import { chooseTarget, mergeTarget, targetNames, withEmptyTargets } from "./targets.ts";
import { childOf, withoutEntries, type MapTree, type Tree } from "./tree.ts";
import { validate } from "./validate.ts";

export interface LoadConfigOptions {
  /** The config file, absolute or relative to the working directory. */
  readonly file: string;
  /** What `--target` says; null leaves it to GAP_RECONCILER_TARGET and `default_target`. */
  readonly target: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const configBytesMax = 1_000_000;
const sqlBytesMax = 1_000_000;

/**
 * Reads a pipeline file, chooses the target, fills in `${…}` and defaults, and checks all of it against itself, before
 * anything runs. Every fault of the file is told at once, each with its place.
 * @throws ReconcilerError `config_not_found`, `config_unreadable` or `config_invalid`
 */
export async function loadConfig(options: LoadConfigOptions): Promise<Config> {
  const { file } = options;
  const absolute = resolve(file);
  const folder = dirname(absolute);
  const issues = new IssueList();
  const written = parseDocument(await readConfigFile(file), issues);
  issues.throwIfAny(file);
  if (written === null) throw new ReconcilerError("internal", `${file} gave neither a document nor an error`);

  checkTargets(written, issues);
  const files = await readFiles(secretFilesOf(written), folder, secretBytesMax);
  const source: InterpolationSource = { env: options.env, files };
  const target = chooseTarget(written, options.target, source, issues);
  if (target === undefined) return fail(issues, file);

  const merged = mergeTarget(written, target);
  const withDefaults = applyDefaults(merged, issues);
  const secrets = new Set<string>();
  const tree = prepare(withDefaults, documentSchema, { source, secrets, issues });
  const valid = validate(documentSchema, tree, issues);
  const document = valid ?? salvage(tree);
  if (document === null || (valid === null && issues.isEmpty)) return fail(issues, file);

  const sqlFiles = await readFiles(sqlFilesOf(document, folder), folder, sqlBytesMax);
  const loaded: Loaded = { document, tree, issues, folder, sqlFiles, secrets, names: knownNames(tree) };
  const pipeline = resolvePipeline(loaded);
  const storage = resolveStorage(loaded);
  const daemon = await resolveDaemon(loaded);
  const http = await resolveHttp(loaded, secrets);
  const redis = await resolveRedis(loaded, secrets);
  const notify = await resolveNotify(loaded, secrets);
  issues.throwIfAny(file);
  const sorted = sortSecrets(secrets);
  const shown = tree.kind === "map" ? withoutEntries(tree, new Set(["defaults", "default_target"])) : tree;
  return deepFreeze({
    pipeline,
    file: absolute,
    target,
    storage,
    redis,
    daemon,
    http,
    notify,
    jsonDocument: maskedJson(shown, sorted),
    secrets: sorted,
  });
}

async function readConfigFile(file: string): Promise<string> {
  const read = await readTextFile(file, configBytesMax);
  if (read.kind === "text") return read.text;
  const message = `expected a config file at ${file}, found ${read.found}`;
  if (read.reason === "not_found") {
    const hint = "use --config FILE; examples/minimal/pipeline.yaml is one to begin with";
    throw new ReconcilerError("config_not_found", message, { hint, path: file });
  }
  if (read.reason === "too_large" || read.reason === "binary") {
    const hint = "a config is YAML text of at most 1 MB: is this the right file?";
    throw new ReconcilerError("config_unreadable", message, { hint, path: file });
  }
  const hint = read.reason === "directory" ? "name the file in it" : "check who may read it";
  throw new ReconcilerError("config_unreadable", message, { hint, path: file });
}

function parseDocument(text: string, issues: IssueList): MapTree | null {
  const tree = parseYaml(text, issues);
  if (tree === null) return null;
  if (tree.kind === "map") return withEmptyTargets(tree);
  issues.addAt(tree, [], { expected: "a map with version, pipeline, timezone, warehouse and processors" });
  return null;
}

/** Every target's document is checked as far as that goes without its environment, so that prod does not fail in prod. */
function checkTargets(written: MapTree, issues: IssueList): void {
  const section = childOf(written, "targets");
  if (section !== null) validate(documentSchema.pick({ targets: true }), onlyTargets(written), issues);
  const names = targetNames(written);
  for (const target of names.length === 0 ? [null] : names) {
    const merged = applyDefaults(mergeTarget(written, target), issues);
    const prepared = prepare(merged, documentSchema, { source: null, secrets: new Set(), issues });
    validate(documentSchema, prepared, issues);
  }
}

function onlyTargets(written: MapTree): Tree {
  const others = [...written.entries.keys()].filter((key) => key !== "targets");
  return withoutEntries(written, new Set(others));
}

async function readFiles(
  paths: Iterable<string>,
  folder: string,
  bytesMax: number,
): Promise<ReadonlyMap<string, TextFile>> {
  const files = new Map<string, TextFile>();
  for (const path of paths) files.set(path, await readTextFile(absolutePath(folder, path), bytesMax));
  return files;
}

function sqlFilesOf(document: DocumentInput, folder: string): ReadonlySet<string> {
  const schedules = [document.schedule, ...Object.values(document.schedules)];
  const repairs = Object.values(document.processors).map(({ repair }) =>
    "use" in repair ? undefined : repair,
  );
  const exceptions = schedules.map((schedule) =>
    Array.isArray(schedule?.except) ? undefined : schedule?.except,
  );
  const all = [...schedules, ...exceptions, ...repairs, ...Object.values(document.repairs)];
  return new Set(all.flatMap((item) => item?.sql_file ?? []).map((file) => absolutePath(folder, file)));
}

async function resolveHttp(loaded: Loaded, secrets: Set<string>): Promise<HttpConfig | null> {
  const { http } = loaded.document;
  if (http === undefined) return null;
  if (http.token_file === undefined) return { listen: http.listen, token: null };
  const token = await readSecret(loaded, ["http", "token_file"], http.token_file);
  if (token !== null) addSecret(secrets, token);
  return { listen: http.listen, token };
}

function fail(issues: IssueList, file: string): never {
  issues.throwIfAny(file);
  throw new ReconcilerError("internal", `${file} could not be resolved, and nothing says why`);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
