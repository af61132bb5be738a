// Prints the totals of a vitest JSON report (passed, failed, skipped) and then a line for each failed test.
// Arguments: the report, and the name of the run, which begins each of those lines.
import { readFileSync } from "node:fs";

const [path, run] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, "utf8"));
console.log(report.numPassedTests, report.numFailedTests, report.numPendingTests + report.numTodoTests);
const firstLines = (text) => text.split("\n").slice(0, 3).join(" | ").slice(0, 400);
for (const { name, status, message, assertionResults } of report.testResults) {
  if (status === "failed" && message) console.log(`${run}: ${name}: ${firstLines(message)}`);
  for (const { fullName, failureMessages } of assertionResults.filter((test) => test.status === "failed")) {
    console.log(`${run}: ${name}: ${fullName}: ${firstLines(failureMessages[0] ?? "")}`);
  }
}
