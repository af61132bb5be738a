import { describe, expect, test } from "vitest";
import { html } from "../../../src/http/page/html.ts";

const hostile = `<script>alert("it's & done")</script>`;

describe("markup", () => {
  test("escapes every text that is put into it, in elements and in attributes", () => {
    const escaped = "&lt;script&gt;alert(&quot;it&#39;s &amp; done&quot;)&lt;/script&gt;";
    expect(html`<p title="${hostile}">${hostile}</p>`.toString()).toBe(
      `<p title="${escaped}">${escaped}</p>`,
    );
  });

  test("takes markup as it is, lists one after the other, numbers, and nothing for null and false", () => {
    const items = ["a<b", 2].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}${null}${false}</ul>`.toString()).toBe("<ul><li>a&lt;b</li><li>2</li></ul>");
  });

  test("escapes texts in lists too", () => {
    expect(html`${[hostile, [hostile]]}`.toString()).not.toContain("<script");
  });
});
