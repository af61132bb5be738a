import { createInlinePlanningLease } from "../../../src/adapters/inline/planning-lease.ts";
import { describePlanningLeaseContract } from "../../contract/planning-lease.ts";

describePlanningLeaseContract("in one process", () => {
  let behindMs = 0;
  const lease = createInlinePlanningLease({ now: () => Date.now() - behindMs });
  return Promise.resolve({
    one: lease,
    other: lease,
    turnClockBack: (ms: number) => {
      behindMs += ms;
      return Promise.resolve();
    },
    cleanup: () => Promise.resolve(),
  });
});
