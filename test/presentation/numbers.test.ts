import { describe, expect, test } from "vitest";
import { formatDates, formatSeconds } from "../../src/presentation/numbers.ts";

describe("numbers", () => {
  test.each([
    [0, "0 s"],
    [0.44, "0.4 s"],
    [45, "45 s"],
    [119, "119 s"],
    [125, "2 min"],
    [3600, "1 h"],
    [11_100, "3 h 5 min"],
    [180_000, "2 d 2 h"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  test("dates say how many they are", () => {
    expect(formatDates(["2024-01-05"])).toBe("2024-01-05");
    expect(formatDates(["2024-01-05", "2024-01-07"])).toBe("2024-01-05 to 2024-01-07 (2 dates)");
  });
});
