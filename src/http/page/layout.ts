import type { PageAssets } from "./assets.ts";
import { type Content, html } from "./html.ts";

export interface LayoutInput {
  readonly title: string;
  readonly pipeline: string;
  readonly target: string | null;
  readonly revision: number;
  /** Whether what is shown may have changed since. */
  readonly isStale: boolean;
  readonly assets: PageAssets;
  readonly content: Content;
}

/** Without a script the browser loads the page again so often. */
const reloadSeconds = 60;

/** A whole document. Styles and scripts are files of the same server, so that a policy can forbid all others. */
export function renderLayout({
  title,
  pipeline,
  target,
  revision,
  isStale,
  assets,
  content,
}: LayoutInput): string {
  return `<!doctype html>
${html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${assets.icon.path}">
<link rel="stylesheet" href="${assets.style.path}">
${assets.scripts.map(
  ({ path }) => html`<script type="module" src="${path}"></script>
`,
)}<noscript><meta http-equiv="refresh" content="${reloadSeconds}"></noscript>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><p class="name"><a href="/">${pipeline}</a>${target !== null && html` <span class="soft">${target}</span>`}</p>
<p id="connection" role="status"></p>
<noscript><p class="soft">Loaded anew every ${reloadSeconds} seconds; <a href="">load now</a>.</p></noscript>
</header>
<main id="main"${isStale && html` class="outdated"`} data-revision="${revision}">
${content}
</main>
</body>
</html>
`.toString()}`;
}
