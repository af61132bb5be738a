import type { FastifyInstance } from "fastify";
import { messageOf, type ReconcilerError } from "../errors.ts";
import type { Clock, Ledger } from "../reconcile/ports.ts";
import type { LiveDaemon } from "../reconcile/ports/live-view.ts";

export interface HealthOptions {
  readonly live: LiveDaemon;
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "decisions">;
  /** What is away though it holds nothing up yet. */
  readonly partlyAway: () => readonly ReconcilerError[];
}

/**
 * The loop turns every two seconds, but for an answer of Redis or the ledger that it waits for; each of these has a time limit
 * that is shorter than this.
 */
const loopAgeMsMax = 300_000;
/** Probes come every few seconds from several sides; asking the ledger may be billed. */
const ledgerBelievedMs = 15_000;
const ledgerAnswerMs = 5_000;

type LedgerStanding = { readonly kind: "up" } | { readonly kind: "away"; readonly message: string };

/** Adds what a supervisor asks: whether the process is to be started anew, and whether it may be sent requests. */
export function addHealth(server: FastifyInstance, { live, clock, ledger, partlyAway }: HealthOptions): void {
  const unlimited = { config: { rateLimit: false } } as const;
  const ledgerStanding = believed(clock, () => askLedger(clock, ledger));

  server.get("/healthz", unlimited, async (_request, reply) => {
    const ageMs = live.loopAgeMs();
    const isTurning = ageMs <= loopAgeMsMax;
    void reply.code(isTurning ? 200 : 503).header("cache-control", "no-store");
    return { status: isTurning ? "ok" : "stuck", loop_age_seconds: Math.round(ageMs / 1000) };
  });

  server.get("/readyz", unlimited, async (_request, reply) => {
    const { isStopping, degraded, cycleFailure } = live.standing();
    const standing = await ledgerStanding();
    const away = [degraded, cycleFailure, ...partlyAway()].flatMap((failure) => failure?.code ?? []);
    const isReady = standing.kind === "up" && !isStopping;
    void reply.code(isReady ? 200 : 503).header("cache-control", "no-store");
    return {
      status: isReady ? "ready" : isStopping ? "stopping" : "not_ready",
      ledger: standing.kind === "up" ? "up" : standing.message,
      // Either may be away: what is known is served all the same, with its age.
      degraded: [...new Set(away)],
    };
  });
}

async function askLedger(clock: Clock, ledger: Pick<Ledger, "decisions">): Promise<LedgerStanding> {
  const answered = new AbortController();
  const late = clock
    .sleep(ledgerAnswerMs, answered.signal)
    .then((): LedgerStanding => ({ kind: "away", message: "it does not answer in time" }));
  const asked = ledger.decisions().then(
    (): LedgerStanding => ({ kind: "up" }),
    (thrown: unknown): LedgerStanding => ({ kind: "away", message: messageOf(thrown) }),
  );
  const standing = await Promise.race([asked, late]);
  answered.abort();
  return standing;
}

/** Asks at most once in a while, however many want to know. */
function believed<T>(clock: Clock, ask: () => Promise<T>): () => Promise<T> {
  let known: { readonly answer: Promise<T>; readonly at: number } | null = null;
  return () => {
    const now = clock.monotonic();
    if (known === null || now - known.at > ledgerBelievedMs) known = { answer: ask(), at: now };
    return known.answer;
  };
}
