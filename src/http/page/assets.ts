import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A file of the page, under an address that is a new one with every change of it: browsers may keep it for ever. */
export interface PageAsset {
  /** Such as `/assets/style-1a2b3c4d.css`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

export interface PageAssets {
  readonly style: PageAsset;
  readonly icon: PageAsset;
  readonly scripts: readonly PageAsset[];
}

const script = "text/javascript; charset=utf-8";

/** Reads the page's files. Once is enough: they do not change while the process lives. */
export function loadPageAssets(): PageAssets {
  return {
    style: load("style.css", "text/css; charset=utf-8"),
    icon: load("icon.svg", "image/svg+xml"),
    scripts: [load("live.mjs", script), load("grid-keys.mjs", script), load("actions.mjs", script)],
  };
}

function load(name: string, contentType: string): PageAsset {
  const body = readFileSync(new URL(`./assets/${name}`, import.meta.url));
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  const dot = name.lastIndexOf(".");
  const suffix = name.slice(dot).replace(".mjs", ".js");
  return { path: `/assets/${name.slice(0, dot)}-${hash}${suffix}`, contentType, body };
}
