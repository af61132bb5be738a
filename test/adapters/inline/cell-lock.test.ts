import { createInlineCellLock } from "../../../src/adapters/inline/cell-lock.ts";
import { describeCellLockContract } from "../../contract/cell-lock.ts";

describeCellLockContract("in one process", () => {
  let behindMs = 0;
  return Promise.resolve({
    lock: createInlineCellLock({ now: () => Date.now() - behindMs }),
    turnClockBack: (ms: number) => {
      behindMs += ms;
      return Promise.resolve();
    },
    cleanup: () => Promise.resolve(),
  });
});
