import { expect, test } from "vitest";
import { RecentPages } from "../../../src/http/page/recent-pages.ts";

test("a page is made once for all who ask within a second, and anew for a later one or another revision", () => {
  let [now, made] = [0, 0];
  const pages = new RecentPages(() => now);
  const make = () => `page ${++made}`;
  expect([pages.page("1 /", make), pages.page("1 /", make)]).toEqual(["page 1", "page 1"]);
  expect([pages.page("2 /", make), pages.page("1 /?part=2", make)]).toEqual(["page 2", "page 3"]);
  now = 999;
  expect(pages.page("1 /", make)).toBe("page 1");
  now = 1_000;
  expect(pages.page("1 /", make)).toBe("page 4");
});

test("so many addresses at once push out the oldest, whatever somebody asks for", () => {
  const pages = new RecentPages(() => 0);
  let made = 0;
  for (let address = 0; address < 1_000; address++) pages.page(`1 /?part=${address}`, () => String(++made));
  expect(pages.page("1 /?part=999", () => "anew")).toBe("1000");
  expect(pages.page("1 /?part=0", () => "anew")).toBe("anew");
});
