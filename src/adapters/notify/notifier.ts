import type { Notifier } from "../../reconcile/ports/notifier.ts";
import { Receiver, type ReceiverOptions, type ReceiverSpec } from "./receiver.ts";

/** Posts bulletins to webhooks. */
export function createNotifier(specs: readonly ReceiverSpec[], options: ReceiverOptions): Notifier {
  const receivers = specs.map((spec) => new Receiver(spec, options));
  return {
    send(bulletin) {
      for (const receiver of receivers) receiver.send(bulletin);
    },
    async close({ deadline }) {
      const settled = Promise.all(receivers.map((receiver) => receiver.settled()));
      await Promise.race([settled, deadline]);
      for (const receiver of receivers) receiver.abort();
      await settled;
    },
  };
}
