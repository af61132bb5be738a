import type { DaemonListener } from "../reconcile/daemon-options.ts";
import type { RunListener } from "../reconcile/once.ts";
import type { CoordinationListener } from "./coordination.ts";
import type { NewsListener } from "./news.ts";

/** Everything that a run or a daemon tells of itself. */
export interface Listener extends RunListener, DaemonListener, CoordinationListener, NewsListener {}

/** Tells each of them, in this order, what it listens to. */
export function tellAll(listeners: readonly Partial<Listener>[]): Listener {
  const tell = (each: (listener: Partial<Listener>) => void) => listeners.forEach(each);
  return {
    onCycleStarted: (...of) => tell((listener) => listener.onCycleStarted?.(...of)),
    onRecorded: (...of) => tell((listener) => listener.onRecorded?.(...of)),
    onSurveysNotKept: (...of) => tell((listener) => listener.onSurveysNotKept?.(...of)),
    onCycle: (...of) => tell((listener) => listener.onCycle?.(...of)),
    onCycleFailed: (...of) => tell((listener) => listener.onCycleFailed?.(...of)),
    onPlanned: (...of) => tell((listener) => listener.onPlanned?.(...of)),
    onStarted: (...of) => tell((listener) => listener.onStarted?.(...of)),
    onEnded: (...of) => tell((listener) => listener.onEnded?.(...of)),
    onRunning: (...of) => tell((listener) => listener.onRunning?.(...of)),
    onRepairFailed: (...of) => tell((listener) => listener.onRepairFailed?.(...of)),
    onWaiting: (...of) => tell((listener) => listener.onWaiting?.(...of)),
    onStopping: (...of) => tell((listener) => listener.onStopping?.(...of)),
    onLeading: (...of) => tell((listener) => listener.onLeading?.(...of)),
    onDegraded: (...of) => tell((listener) => listener.onDegraded?.(...of)),
    onUnreadable: (...of) => tell((listener) => listener.onUnreadable?.(...of)),
    onStalled: (...of) => tell((listener) => listener.onStalled?.(...of)),
    onWiped: () => tell((listener) => listener.onWiped?.()),
    onDelivery: (...of) => tell((listener) => listener.onDelivery?.(...of)),
    onNewsFailed: (...of) => tell((listener) => listener.onNewsFailed?.(...of)),
  };
}
