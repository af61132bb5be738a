import type { DaemonListener } from "../reconcile/daemon-options.ts";
import type { RunListener } from "../reconcile/once-options.ts";
import type { DeliveryListener } from "../reconcile/ports/notifier.ts";
import type { CoordinationListener } from "./coordination.ts";

export interface NewsListener extends DeliveryListener {
  /** It could not be found out what is new; the next cycle tells it. */
  readonly onNewsFailed: (thrown: unknown) => void;
}

/** Everything that a run or a daemon tells of itself. */
export interface Listener extends RunListener, DaemonListener, CoordinationListener, NewsListener {
  /** One of those who are told threw, which is a fault of its own. */
  readonly onListenerFailed: (thrown: unknown) => void;
}

/**
 * Tells each of them, in this order, what it listens to. What one throws is told the others as `onListenerFailed`, and neither they nor
 * what is told of are held up: a repair whose start is on record would never be run.
 */
export function tellAll(listeners: readonly Partial<Listener>[]): Listener {
  const tellEach = (each: (listener: Partial<Listener>) => void): readonly unknown[] =>
    listeners.flatMap((listener) => {
      try {
        each(listener);
        return [];
      } catch (thrown) {
        return [thrown];
      }
    });
  const onListenerFailed = (thrown: unknown) =>
    void tellEach((listener) => listener.onListenerFailed?.(thrown));
  const tell = (each: (listener: Partial<Listener>) => void) => tellEach(each).forEach(onListenerFailed);
  return {
    onListenerFailed,
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
    onAsking: () => tell((listener) => listener.onAsking?.()),
    onStopping: (...of) => tell((listener) => listener.onStopping?.(...of)),
    onLeading: (...of) => tell((listener) => listener.onLeading?.(...of)),
    onDegraded: (...of) => tell((listener) => listener.onDegraded?.(...of)),
    onUnreadable: (...of) => tell((listener) => listener.onUnreadable?.(...of)),
    onStalled: (...of) => tell((listener) => listener.onStalled?.(...of)),
    onLockServer: (...of) => tell((listener) => listener.onLockServer?.(...of)),
    onWiped: () => tell((listener) => listener.onWiped?.()),
    onDelivery: (...of) => tell((listener) => listener.onDelivery?.(...of)),
    onNewsFailed: (...of) => tell((listener) => listener.onNewsFailed?.(...of)),
  };
}
