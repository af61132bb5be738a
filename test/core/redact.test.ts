import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact } from "../../src/core/redact.ts";

describe("redact", () => {
  it("masks a secret wherever it stands", () => {
    expect(redact("key=s3cr3t, again s3cr3t.", ["s3cr3t"])).toBe("key=***, again ***.");
  });

  it("masks the spelling of a secret inside a URL and inside JSON", () => {
    const secret = 'p@ss "w"/1';
    expect(redact(`${encodeURIComponent(secret)} ${JSON.stringify({ secret })}`, [secret])).toBe(
      '*** {"secret":"***"}',
    );
  });

  it("masks the spelling of a secret in a page", () => {
    expect(redact("<p>p&amp;ss&lt;w&#39;&quot;</p>", [`p&ss<w'"`])).toBe("<p>***</p>");
  });

  it("leaves nothing of a secret that contains another", () => {
    expect(redact("abcd abcdefgh", ["abcd", "abcdefgh"])).toBe("*** ***");
  });

  it("leaves values of fewer than four characters, which are ordinary words", () => {
    expect(redact("the end", ["the", ""])).toBe("the end");
  });

  it.each([
    ["postgres://user:pass@db:5432/x", "postgres://***@db:5432/x"],
    ["redis://:pass@host", "redis://***@host"],
    ["https://token@host/path?a=b", "https://***@host/path?a=b"],
  ])("masks the credentials of %s though nobody named them", (url, masked) => {
    expect(redact(`see ${url} now`, [])).toBe(`see ${masked} now`);
  });

  it.each(["https://host/a@b", "mail me@host", "https://host?x=a@b", "time 10://"])(
    "leaves %s, which holds no credentials",
    (text) => {
      expect(redact(text, [])).toBe(text);
    },
  );

  it("never lets a secret through, whatever surrounds it", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "binary", minLength: 4 }).filter((secret) => secret.trim().length >= 4),
        fc.string({ unit: "binary" }),
        (before, secret, after) => {
          // What the mask itself spells is not a leak.
          fc.pre(!"***".includes(secret.trim()) && !/[*]/.test(secret));
          expect(redact(before + secret + after, [secret])).not.toContain(secret.trim());
        },
      ),
    );
  });
});
