import type { Pipeline } from "../core/pipeline.ts";
import { ReconcilerError } from "../errors.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import type { OnceResult } from "../reconcile/once-options.ts";
import type { Clock } from "../reconcile/ports.ts";
import { version } from "./version.ts";

export interface OpenMetricsOptions {
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  /** Of the source that this was built from; empty where nobody said. */
  readonly revision: string;
  readonly isDaemon: boolean;
}

/** Loaded only where somebody wants metrics: it would cost every command a part of a second. */
export async function openMetrics({ revision, ...options }: OpenMetricsOptions): Promise<Metrics> {
  const { createMetrics } = await import("../observability/metrics/metrics.ts");
  return createMetrics({ ...options, build: { version: version(), revision } });
}

/**
 * Does the run and writes what is known after it to the file, whether gaps remain or it failed. One that was refused before it
 * saw anything leaves the file of the run before.
 * @throws what the run failed with; ReconcilerError `usage` before anything is done where the file could not be written,
 *   `write_failed` where it cannot be after all
 */
export async function withMetricsFile(
  path: string,
  metrics: Metrics,
  run: () => Promise<OnceResult>,
): Promise<OnceResult> {
  const { checkTextfile, writeTextfile } = await import("../observability/metrics/textfile.ts");
  await checkTextfile(path);
  const write = async () => writeTextfile(path, (await metrics.render()).text);
  // Nobody else plans for it.
  metrics.listener.onLeading(true);
  const result = await run().catch(async (thrown: unknown) => {
    if (!isRefusal(thrown)) {
      metrics.listener.onCycleFailed(thrown, "");
      // What the run failed with is what people need to know.
      await write().catch(() => undefined);
    }
    throw thrown;
  });
  metrics.listener.onPlanned(result.assessment);
  await write();
  return result;
}

/** Nothing was tried: another run is at work, the command line makes no sense, or somebody stopped it before its first look. */
function isRefusal(thrown: unknown): boolean {
  const code = thrown instanceof ReconcilerError ? thrown.code : null;
  return code === "run_in_progress" || code === "usage" || code === "interrupted";
}
