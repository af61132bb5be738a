// Goal: who is told of what happens cannot hold it up, not even by a fault of its own.
import { expect, test } from "vitest";
import { tellAll } from "../../src/compose/listeners.ts";

test("a listener that throws keeps nobody else from being told, and its fault is told too", () => {
  const told: unknown[] = [];
  const fault = new TypeError("a bad label");
  const fails = () => {
    throw fault;
  };
  const listener = tellAll([
    { onRunning: fails, onListenerFailed: fails },
    { onRunning: (jobs) => told.push(jobs), onListenerFailed: (thrown) => told.push(thrown) },
  ]);
  listener.onRunning(3);
  expect(told).toEqual([3, fault]);
});
