import { addDays, fromDay, type IsoDate, parseIsoDate, toDay, weekdayOf } from "../core/iso-date.ts";

/** A row of the demo's schedule. */
export interface DemoGame {
  /** `002…` regular season, `003…` All-Star, `004…` playoffs, `005…` play-in. */
  readonly gameId: string;
  readonly gameDate: IsoDate;
  /** Like 2023-24. */
  readonly season: string;
  /** 3 means final; a postponed game keeps 1 under its old date. */
  readonly gameStatus: 1 | 3;
  readonly homeTeam: string;
  readonly awayTeam: string;
}

interface SeasonCalendar {
  readonly season: string;
  /** First and last date of the regular season, both included. */
  readonly start: IsoDate;
  readonly end: IsoDate;
  /** Election day, on which nobody plays. */
  readonly dayOff: IsoDate | null;
  /** The Friday of the All-Star weekend; its other games are on the Sunday. */
  readonly allStar: IsoDate;
  readonly playIn: IsoDate;
  readonly playoffs: IsoDate;
  /** Games of the finals, which end the season. */
  readonly finalsGames: number;
}

export const demoTeams: readonly string[] =
  "ATL BOS BKN CHA CHI CLE DAL DEN DET GSW HOU IND LAC LAL MEM MIA MIL MIN NOP NYK OKC ORL PHI PHX POR SAC SAS TOR UTA WAS".split(
    " ",
  );

const calendars: readonly SeasonCalendar[] = [
  calendar("2021-22", "2021-10-19", "2022-04-10", null, "2022-02-18", "2022-04-12", "2022-04-16", 6),
  calendar("2022-23", "2022-10-18", "2023-04-09", "2022-11-08", "2023-02-17", "2023-04-11", "2023-04-15", 5),
  calendar("2023-24", "2023-10-24", "2024-04-14", "2023-11-07", "2024-02-16", "2024-04-16", "2024-04-20", 5),
  calendar("2024-25", "2024-10-22", "2025-04-13", "2024-11-05", "2025-02-14", "2025-04-15", "2025-04-19", 7),
];

const roundsPerSeason = 82;
const gamesPerRound = demoTeams.length / 2;
/** Days after the start of the playoffs on which the finals are played. */
const finalsDays = [48, 50, 53, 56, 58, 61, 64] as const;

/**
 * Four seasons as a league plays them: 1,230 regular games on 164 dates, an All-Star weekend in a week off, a play-in and
 * playoffs. The same on every call; the last game is on 2025-06-22.
 */
export function demoSchedule(): readonly DemoGame[] {
  return calendars.flatMap((season) => [
    ...regularGames(season),
    ...allStarGames(season),
    ...playInGames(season),
    ...playoffGames(season),
    ...postponedGames(season),
  ]);
}

/** A round is a game of every team, played over two dates: nobody plays twice on one. */
function regularGames(season: SeasonCalendar): DemoGame[] {
  const dates = regularDates(season);
  const order = teamsByLot(season.season);
  const games: DemoGame[] = [];
  for (let round = 0; round < roundsPerSeason; round += 1) {
    const pairs = roundRobin(order, round);
    const onFirstDate = 4 + (lot(`${season.season} split ${round}`) % 8);
    pairs.forEach(([home, away], place) => {
      const date = dates[2 * round + ((place + round) % gamesPerRound < onFirstDate ? 0 : 1)];
      if (date !== undefined) games.push(game(season, "002", games.length + 1, date, home, away));
    });
  }
  return games;
}

/** All dates of the regular season but Thanksgiving, Christmas Eve, the day off and the All-Star week, thinned to two a round. */
function regularDates(season: SeasonCalendar): IsoDate[] {
  const dates: IsoDate[] = [];
  for (let day = toDay(season.start); day <= toDay(season.end); day += 1) {
    const date = fromDay(day);
    const sinceAllStar = day - toDay(season.allStar);
    const monthAndDay = date.slice(5);
    const thanksgiving = monthAndDay >= "11-22" && monthAndDay <= "11-28" && weekdayOf(day) === 4;
    if (thanksgiving || monthAndDay === "12-24" || date === season.dayOff) continue;
    if (sinceAllStar >= -1 && sinceAllStar <= 5) continue;
    dates.push(date);
  }
  const surplus = dates.length - 2 * roundsPerSeason;
  const dropped = new Set(
    Array.from({ length: surplus }, (_, n) => Math.floor(((n + 1) * dates.length) / (surplus + 1))),
  );
  return dates.filter((_, place) => !dropped.has(place));
}

/** The circle method: the first team stays, the others move on by one place a round. */
function roundRobin(teams: readonly string[], round: number): (readonly [string, string])[] {
  const [first = "", ...others] = teams;
  const turned = others.map((_, place) => others[(place + round) % others.length] ?? "");
  const circle = [first, ...turned];
  return circle.slice(0, gamesPerRound).map((team, place) => {
    const rival = circle[circle.length - 1 - place] ?? "";
    return (round + place) % 2 === 0 ? [team, rival] : [rival, team];
  });
}

function allStarGames(season: SeasonCalendar): DemoGame[] {
  return [0, 2, 2, 2].map((offset, place) =>
    game(season, "003", place + 1, addDays(season.allStar, offset), "EST", "WST"),
  );
}

function playInGames(season: SeasonCalendar): DemoGame[] {
  const seeds = teamsByLot(season.season).slice(12, 24);
  return [0, 0, 1, 1, 3, 3].map((offset, place) =>
    game(
      season,
      "005",
      101 + place,
      addDays(season.playIn, offset),
      seeds[2 * place] ?? "",
      seeds[2 * place + 1] ?? "",
    ),
  );
}

function playoffGames(season: SeasonCalendar): DemoGame[] {
  const games: DemoGame[] = [];
  let teams = teamsByLot(season.season).slice(0, 16);
  for (const [round, firstDay] of [0, 16, 32, 48].entries()) {
    const winners: string[] = [];
    const seriesCount = teams.length / 2;
    for (let series = 0; series < seriesCount; series += 1) {
      const home = teams[series] ?? "";
      const away = teams[teams.length - 1 - series] ?? "";
      const isFinals = round === 3;
      const length = isFinals ? season.finalsGames : 4 + (lot(`${season.season} ${round} ${series}`) % 4);
      for (let number = 0; number < length; number += 1) {
        const offset = isFinals ? (finalsDays[number] ?? 0) : firstDay + (series % 2) + 2 * number;
        const id = (round + 1) * 100 + series * 10 + number + 1;
        games.push(game(season, "004", id, addDays(season.playoffs, offset), home, away));
      }
      winners.push(lot(`${season.season} winner ${round} ${series}`) % 3 === 0 ? away : home);
    }
    teams = winners;
  }
  return games;
}

/** Games that were put off in the winter of 2021 and never became final under their old id. */
function postponedGames(season: SeasonCalendar): DemoGame[] {
  if (season.season !== "2021-22") return [];
  const date = parseIsoDate("2021-12-20");
  return [0, 1, 2].map((place) => ({
    ...game(season, "002", 1231 + place, date, demoTeams[place] ?? "", demoTeams[place + 3] ?? ""),
    gameStatus: 1,
  }));
}

function game(
  season: SeasonCalendar,
  kind: string,
  number: number,
  gameDate: IsoDate,
  homeTeam: string,
  awayTeam: string,
): DemoGame {
  const gameId = `${kind}${season.season.slice(2, 4)}${String(number).padStart(5, "0")}`;
  return { gameId, gameDate, season: season.season, gameStatus: 3, homeTeam, awayTeam };
}

function teamsByLot(season: string): string[] {
  return [...demoTeams].sort((a, b) => lot(`${season} ${a}`) - lot(`${season} ${b}`));
}

/** FNV-1a with a final mix: what looks random and is the same everywhere. */
function lot(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 12)) >>> 0;
}

function calendar(
  season: string,
  start: string,
  end: string,
  dayOff: string | null,
  allStar: string,
  playIn: string,
  playoffs: string,
  finalsGames: number,
): SeasonCalendar {
  return {
    season,
    start: parseIsoDate(start),
    end: parseIsoDate(end),
    dayOff: dayOff === null ? null : parseIsoDate(dayOff),
    allStar: parseIsoDate(allStar),
    playIn: parseIsoDate(playIn),
    playoffs: parseIsoDate(playoffs),
    finalsGames,
  };
}
