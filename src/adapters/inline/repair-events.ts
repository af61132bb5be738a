import { EventEmitter } from "node:events";
import type { RepairEvent, RepairEvents } from "../../reconcile/ports/repair-events.ts";

/** Events within one process. A listener is called later, as it is by a server's message: never within `publish`. */
export function createInlineRepairEvents(): RepairEvents {
  const emitter = new EventEmitter<{ repair: [RepairEvent] }>().setMaxListeners(0);
  return {
    publish(event) {
      queueMicrotask(() => emitter.emit("repair", event));
      return Promise.resolve();
    },
    subscribe(listener) {
      emitter.on("repair", listener);
      return () => void emitter.off("repair", listener);
    },
    close() {
      emitter.removeAllListeners();
      return Promise.resolve();
    },
  };
}
