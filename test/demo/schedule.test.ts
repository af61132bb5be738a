import { describe, expect, test } from "vitest";
import { toDay } from "../../src/core/iso-date.ts";
import { type DemoGame, demoSchedule, demoTeams } from "../../src/demo/schedule.ts";

const games = demoSchedule();
const played = games.filter(({ gameStatus }) => gameStatus === 3);
const seasons = ["2021-22", "2022-23", "2023-24", "2024-25"];

function ofKind(season: string, kind: string): DemoGame[] {
  return played.filter((game) => game.season === season && game.gameId.startsWith(kind));
}

describe("the schedule of the demo", () => {
  test.each(seasons)("has a regular season of 82 games a team in %s", (season) => {
    const regular = ofKind(season, "002");
    expect(regular).toHaveLength(1230);
    expect(new Set(regular.map(({ gameDate }) => gameDate)).size).toBe(164);
    const datesOf = (team: string): string[] =>
      regular
        .filter(({ homeTeam, awayTeam }) => homeTeam === team || awayTeam === team)
        .map(({ gameDate }) => gameDate);
    expect(demoTeams.filter((team) => datesOf(team).length !== 82)).toEqual([]);
  });

  test.each([
    ["2021-22", "2021-10-19", "2022-06-16"],
    ["2022-23", "2022-10-18", "2023-06-12"],
    ["2023-24", "2023-10-24", "2024-06-17"],
    ["2024-25", "2024-10-22", "2025-06-22"],
  ])("plays %s from %s to %s, with play-in and playoffs", (season, first, last) => {
    const dates = played.filter((game) => game.season === season).map(({ gameDate }) => gameDate);
    expect([...dates].sort().at(0)).toBe(first);
    expect([...dates].sort().at(-1)).toBe(last);
    expect(ofKind(season, "005")).toHaveLength(6);
    expect(ofKind(season, "004").length).toBeGreaterThan(70);
    expect(ofKind(season, "004").length).toBeLessThan(106);
  });

  test("plays All-Star games on days on which nothing else is played", () => {
    const allStar = played.filter(({ gameId }) => gameId.startsWith("003"));
    expect(allStar).toHaveLength(16);
    const dates = new Set(allStar.map(({ gameDate }) => gameDate));
    expect(dates.size).toBe(8);
    expect(played.filter(({ gameDate }) => dates.has(gameDate))).toHaveLength(16);
  });

  test("names no game twice and lets no team play itself or twice on one date", () => {
    expect(new Set(games.map(({ gameId }) => gameId)).size).toBe(games.length);
    const appearances = played
      .filter(({ gameId }) => !gameId.startsWith("003"))
      .flatMap(({ gameDate, homeTeam, awayTeam }) => [`${gameDate} ${homeTeam}`, `${gameDate} ${awayTeam}`]);
    expect(new Set(appearances).size).toBe(appearances.length);
  });

  test("keeps postponed games as not final, which the filter of a schedule has to see", () => {
    const postponed = games.filter(({ gameStatus }) => gameStatus === 1);
    expect(postponed).toHaveLength(3);
    expect(new Set(postponed.map(({ gameDate }) => gameDate))).toEqual(new Set(["2021-12-20"]));
  });

  test("leaves Thanksgiving and Christmas Eve free", () => {
    const free = new Set(["2021-11-25", "2022-11-24", "2023-11-23", "2024-11-28"]);
    expect(played.filter(({ gameDate }) => free.has(gameDate) || gameDate.endsWith("-12-24"))).toEqual([]);
  });

  test("never pauses for more than 8 days within a season", () => {
    const longest = seasons.map((season) => {
      const days = [...new Set(ofKind(season, "00").map(({ gameDate }) => toDay(gameDate)))].sort(
        (a, b) => a - b,
      );
      return Math.max(...days.slice(1).map((day, place) => day - (days[place] ?? day)));
    });
    expect(Math.max(...longest)).toBeLessThanOrEqual(8);
    expect(Math.min(...longest)).toBeGreaterThan(1);
  });
});
