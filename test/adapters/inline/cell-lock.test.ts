import { createInlineCellLock } from "../../../src/adapters/inline/cell-lock.ts";
import { describeCellLockContract } from "../../contract/cell-lock.ts";

describeCellLockContract("in one process", () => {
  let clock = Date.now();
  return Promise.resolve({
    lock: createInlineCellLock({ now: () => clock }),
    setClock: (now: number) => {
      clock = now;
      return Promise.resolve();
    },
    cleanup: () => Promise.resolve(),
  });
});
