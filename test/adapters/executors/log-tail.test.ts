import { describe, expect, it } from "vitest";
import { createLogTail } from "../../../src/adapters/executors/log-tail.ts";

function tailOf(text: string, secrets: readonly string[] = [], chunkBytes = 1_000): string | null {
  const tail = createLogTail(secrets);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) tail.append(bytes.subarray(at, at + chunkBytes));
  return tail.text();
}

describe("the tail of a log", () => {
  it("is null where nothing was printed", () => {
    expect(tailOf("")).toBeNull();
    expect(tailOf(" \n")).toBeNull();
  });

  it("is the whole of a short output", () => {
    expect(tailOf("first\nlast\n")).toBe("first\nlast");
  });

  it("is the last 4 KiB of a long one, whole characters only", () => {
    const tail = tailOf(`${"é€😀".repeat(100_000)}end`, [], 777) ?? "";
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(4096);
    expect(Buffer.byteLength(tail)).toBeGreaterThan(4080);
    expect(tail).toMatch(/^[é€😀]+end$/u);
  });

  it("stays the same while it is asked again and grows when more is printed", () => {
    const tail = createLogTail([]);
    tail.append(Buffer.from("a"));
    expect(tail.text()).toBe("a");
    expect(tail.text()).toBe("a");
    tail.append(Buffer.from("b"));
    expect(tail.text()).toBe("ab");
  });

  it("shows no terminal codes and no control characters", () => {
    expect(tailOf("\u001b[31mred\u001b[0m\u0000\u0007 10%\r20%\r\ndone\ttab\u009b")).toBe(
      "red 10%\n20%\ndone\ttab",
    );
  });

  it("does not grow with what is printed", () => {
    const tail = createLogTail([]);
    const chunk = Buffer.alloc(64 * 1024, "x");
    const before = process.memoryUsage().arrayBuffers;
    for (let index = 0; index < 16_384; index += 1) tail.append(chunk);
    // It was given 1 GiB; what is garbage already may not have been collected yet.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(512 * 1024 * 1024);
    expect(tail.text()).toHaveLength(4096);
  });

  it.each([[10], [333], [4096], [9999]])(
    "leaks no part of a secret, wherever in it the output is cut (in chunks of %i bytes)",
    (chunkBytes) => {
      const secret = `SECRET-${"0123456789".repeat(30)}-END`;
      for (const words of ["", " ", "\n"]) {
        for (let shift = 0; shift < 330; shift += 13) {
          const text = `${"x".repeat(shift)}${words}${secret}${words}`.repeat(120);
          const tail = tailOf(text, [secret], chunkBytes) ?? "";
          expect(tail).not.toMatch(/SECRET|END|0123456789/);
        }
      }
    },
  );

  it("leaks no credentials of a URL that is cut in two", () => {
    for (let length = 4_000; length < 4_200; length += 1) {
      const tail = tailOf(`${"postgres://user:hunter2@db/x ".repeat(2_000)}${"y".repeat(length)}`) ?? "";
      expect(tail).not.toContain("hunter2");
      expect(tail).not.toContain("unter2");
    }
  });
});
