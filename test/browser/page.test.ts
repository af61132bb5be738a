// Goal: the page is what somebody sees who looks at it, on any screen, with and without a script, and while the daemon is away.
// Method: a real Chromium, one for the whole file, looks at the moments of a run. Screenshots are kept in PAGE_SCREENSHOTS, if
// that names a folder, for a person to look at.
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { barriers, desktop, type Device, openTab, phone, startBrowser } from "./browser.ts";
import { after, before, during, stale } from "./moments.ts";
import { PageServer, token } from "./page-server.ts";

const timeoutMs = 120_000;
const server = new PageServer(before());
let browser: Browser;

beforeAll(async () => {
  await server.start();
  browser = await startBrowser();
}, timeoutMs);

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const month = "/?start=2023-08-14&end=2023-09-14";
const dark = (device: Device): Device => ({ ...device, colors: "dark" });

const cell = "/cells/predictions/2023-08-20";

/** Each moment zoomed out and in, on each screen, in each colours; what differs in two ways is not combined with all else. */
const looks = [
  ["before", before, desktop, "/"],
  ["before", before, dark(phone), month],
  ["before", before, dark(desktop), cell],
  ["during", during, dark(desktop), month],
  ["during", during, phone, "/"],
  ["after", after, dark(phone), "/"],
  ["after", after, desktop, month],
  ["stale", stale, phone, month],
  ["stale", stale, desktop, cell],
  ["stale", stale, dark(desktop), "/"],
] as const;

describe("a look at the page", () => {
  test.each(looks)(
    "%s convergence meets no barrier, no error, and asks nobody else (%#)",
    async (name, moment, device, address) => {
      server.show(moment());
      const { page, context, complaints } = await openTab(browser, server.base, device);
      await page.goto(address);
      expect(await barriers(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(device.width);
      await keepScreenshot(
        page,
        `${name}-${device.width}-${device.colors}${address.replaceAll(/\W+/g, "-")}`,
      );
      expect(complaints).toEqual([]);
      expect(await page.title()).not.toContain("owned");
      await context.close();
    },
    timeoutMs,
  );
});

describe("by the keyboard", () => {
  test(
    "one reaches a cell with the arrows, opens it, and follows the chain to its root cause",
    async () => {
      server.show(before());
      const { page, context } = await openTab(browser, server.base, desktop);
      await page.goto(month);
      const focused = () => page.evaluate("document.activeElement.ariaLabel");
      // The whole grid is one stop.
      await page.locator(".grid td a[tabindex='0']").focus();
      expect(await page.locator(".grid td a[tabindex='0']").count()).toBe(1);
      expect(await focused()).toBe("complete, 2023-08-14");
      for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"])
        await page.keyboard.press(key);
      expect(await focused()).toBe("missing, 2023-08-16");
      await page.keyboard.press("End");
      expect(await focused()).toBe("complete, 2023-09-14");
      await page.keyboard.press("Home");
      for (const key of ["ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowLeft"])
        await page.keyboard.press(key);
      expect(await focused()).toBe("missing, 2023-08-14");
      for (const key of [...Array<string>(6).fill("ArrowRight"), "ArrowDown", "Enter"])
        await page.keyboard.press(key);
      await page.waitForURL("**/cells/ml_feature_store/2023-08-20");
      await page.getByRole("region", { name: "Root causes" }).getByRole("link").click();
      await page.waitForURL("**/cells/player_game_summary/2023-08-20");
      await context.close();
    },
    timeoutMs,
  );
});

describe("without a script", () => {
  test(
    "everything is there: zoom, filters, cells and their chain, by links and a plain form",
    async () => {
      server.show(before());
      const { page, context, complaints } = await openTab(browser, server.base, desktop, {
        javaScriptEnabled: false,
      });
      await page.goto("/");
      await page.getByRole("combobox", { name: "Processor" }).selectOption("player_game_summary");
      await page.getByRole("button", { name: "Show" }).click();
      await page.waitForURL("**/?*processor=player_game_summary*");
      expect(await page.locator(".grid tbody th[scope=row]").allTextContents()).toEqual([
        "player_game_summary",
      ]);
      await page.locator(".grid td.missing a").first().click();
      await page.waitForURL(/start=/);
      await page.locator(".grid td.missing a[aria-label='missing, 2023-08-20']").click();
      await page.waitForURL("**/cells/player_game_summary/2023-08-20");
      expect(await page.locator("h1").textContent()).toContain("player_game_summary");
      // It is loaded anew by the browser itself.
      expect(await page.content()).toContain('<meta http-equiv="refresh" content="60">');
      expect(complaints).toEqual([]);
      await context.close();
    },
    timeoutMs,
  );
});

describe("while it is open", () => {
  test(
    "it follows what happens, and keeps the focus where it was",
    async () => {
      server.show(before());
      const { page, context, complaints } = await openTab(browser, server.base, desktop);
      await page.goto(month);
      const link = page.locator(".grid td a[href='/cells/predictions/2023-08-20']");
      await link.focus();
      server.show(during());
      await page.locator("#fact-unknown", { hasText: /^0$/ }).waitFor();
      expect(await page.locator(".grid td.running").count()).toBe(7);
      expect(await link.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
      server.show(after());
      await page.getByRole("heading", { name: "Converged", exact: true }).waitFor();
      expect(await page.title()).toBe("converged · nba-props");
      expect(complaints).toEqual([]);
      await context.close();
    },
    timeoutMs,
  );

  test(
    "it turns grey and says how old it is while the daemon is away, and comes back by itself",
    async () => {
      server.show(after());
      const { page, context } = await openTab(browser, server.base, desktop);
      await page.goto("/");
      await page.getByRole("heading", { name: "Converged", exact: true }).waitFor();
      await server.stop();
      await page.getByText(/^No answer from the daemon: this is what was known \d+ s ago$/).waitFor();
      expect(await page.evaluate("getComputedStyle(document.getElementById('main')).filter")).toBe(
        "grayscale(1)",
      );
      expect(await page.title()).toBe("unknown now · nba-props");
      await server.start();
      await page.locator("body:not(.lost)").waitFor();
      await context.close();
    },
    timeoutMs,
  );

  test(
    "it says that the daemon is asked for too much, and asks again by itself",
    async () => {
      server.show(during());
      const { page, context } = await openTab(browser, server.base, desktop);
      await page.clock.install();
      await page.goto("/");
      const body = '<main id="main"><article id="problem"><h1>too much is asked for</h1></article></main>';
      const busy = { status: 503, headers: { "retry-after": "5" }, contentType: "text/html", body };
      await page.route(`${server.base}/`, (route) => route.fulfill(busy), { times: 1 });
      server.show(after());
      await page.getByText(/^too much is asked for: this is what was known \d+ s ago$/).waitFor();
      await page.clock.runFor(12_000);
      await page.getByRole("heading", { name: "Converged", exact: true }).waitFor();
      expect(await page.locator("body.lost").count()).toBe(0);
      await context.close();
    },
    timeoutMs,
  );

  test(
    "it listens for events again after it was refused once",
    async () => {
      server.show(after());
      const { page, context } = await openTab(browser, server.base, desktop);
      await page.clock.install();
      await page.route("**/api/v1/events", (route) => route.fulfill({ status: 503, body: "" }), { times: 1 });
      const refused = page.waitForResponse((response) => response.status() === 503);
      await page.goto("/");
      await refused;
      const heard = page.waitForResponse((answer) => answer.url().endsWith("/events") && answer.ok());
      await page.clock.runFor(31_000);
      expect((await heard).status()).toBe(200);
      await context.close();
    },
    timeoutMs,
  );

  test(
    "its title follows what happens while nobody looks at the tab",
    async () => {
      server.show(after());
      const { page, context } = await openTab(browser, server.base, desktop);
      await page.clock.install();
      await page.addInitScript("Object.defineProperty(document, 'hidden', { get: () => true })");
      await page.goto("/");
      expect(await page.title()).toBe("converged · nba-props");
      server.show(during());
      await page.clock.runFor(61_000);
      await page.waitForFunction("document.title === '76 gaps · nba-props'");
      await context.close();
    },
    timeoutMs,
  );

  test(
    "it tells what it knew as what was, once the warehouse is away",
    async () => {
      server.show(after());
      const { page, context } = await openTab(browser, server.base, desktop);
      await page.goto("/");
      server.show(stale());
      await page.getByRole("heading", { name: "Unknown now: it was converged 30 min ago" }).waitFor();
      expect(await page.locator(".verdict.converged").count()).toBe(0);
      await context.close();
    },
    timeoutMs,
  );
});

describe("a decision", () => {
  test(
    "is shown in words before it is taken, needs the token, and leaves none of it in the address",
    async () => {
      server.show(before());
      const { page, context } = await openTab(browser, server.base, desktop);
      await page.goto("/cells/player_game_summary/2023-08-20");
      const form = page.locator("#action-form");
      const result = page.locator("#action-result");
      await form.getByLabel("Action").selectOption("pause");
      await form.getByLabel("Who you are").fill("ann");
      await form.getByLabel("Reason").fill("the source is moved");
      await form.getByLabel("Token").fill("guessed");
      await form.getByRole("button", { name: "Show what it would do" }).click();
      await result.getByText("expected the header authorization").waitFor();
      await form.getByLabel("Token").fill(token);
      await form.getByRole("button", { name: "Show what it would do" }).click();
      await result.getByText("no repair of these cells starts until resume").waitFor();
      expect(await result.textContent()).toContain("player_game_summary: 2023-08-20");
      expect(server.decisions).toEqual([]);
      await form.getByRole("button", { name: "Do it: Pause repairs" }).click();
      await result.getByText("Done: Pause repairs.").waitFor();
      expect(server.decisions).toMatchObject([
        { kind: "pause", actor: "ann", reason: "the source is moved", processors: ["player_game_summary"] },
      ]);
      expect(page.url()).toBe(`${server.base}/cells/player_game_summary/2023-08-20`);
      await page.goto("/");
      expect(await form.getByLabel("Token").inputValue()).toBe(token);
      await context.close();
    },
    timeoutMs,
  );

  test(
    "that was changed after its preview is previewed anew",
    async () => {
      server.show(before());
      const { page, context } = await openTab(browser, server.base, desktop);
      await page.goto("/");
      const form = page.locator("#action-form");
      await form.getByLabel("Token").fill(token);
      await form.getByRole("button", { name: "Show what it would do" }).click();
      await form.getByRole("button", { name: "Do it: Look again now" }).waitFor();
      await form.getByLabel("Action").selectOption("cancel");
      expect(await form.getByRole("button", { name: "Do it" }).count()).toBe(0);
      await context.close();
    },
    timeoutMs,
  );
});

async function keepScreenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["PAGE_SCREENSHOTS"];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
