import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Chromium does nothing beside showing the page: what it asks for by itself would look like the page's doing. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @throws RangeError where there is none: the tests never leave out what they cannot run */
export async function startBrowser(): Promise<Browser> {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const executablePath = folders.map((folder) => join(folder, "chromium")).find((path) => existsSync(path));
  if (executablePath === undefined)
    throw new RangeError("there is no chromium on the PATH; npm run pretest gets one");
  return chromium.launch({ executablePath, args: flags, timeout: 120_000 });
}

export interface Device {
  readonly width: number;
  readonly height: number;
  readonly colors: "light" | "dark";
}

export const desktop: Device = { width: 1280, height: 900, colors: "light" };
export const phone: Device = { width: 375, height: 740, colors: "light" };

/** A tab, and everything about it that must not be: errors, and requests to anybody but the page's own server. */
export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly complaints: readonly string[];
}

export async function openTab(
  browser: Browser,
  base: string,
  { width, height, colors }: Device,
  options: { readonly javaScriptEnabled?: boolean } = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    baseURL: base,
    viewport: { width, height },
    colorScheme: colors,
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", ({ message }) => complaints.push(`error: ${message}`));
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) complaints.push(`request: ${request.url()}`);
  });
  return { page, context, complaints };
}

/** What a reader who does not see, or not well, would stumble over; one line each. */
export async function barriers(page: Page): Promise<readonly string[]> {
  // The page's policy allows no script but its own, so this one comes by the debugger.
  await page.evaluate(axe.source);
  const found: unknown = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  if (!isAxeResult(found)) throw new TypeError("axe answered something else than violations");
  return found.violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes
        .map(({ html }) => html)
        .slice(0, 3)
        .join(" ")}`,
  );
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

function isAxeResult(value: unknown): value is AxeResult {
  return (
    typeof value === "object" && value !== null && "violations" in value && Array.isArray(value.violations)
  );
}
