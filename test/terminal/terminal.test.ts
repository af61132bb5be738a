import { describe, expect, test } from "vitest";
import { terminalOf } from "../../src/terminal/terminal.ts";

const tty = { isTTY: true, columns: 132 };

describe("what a stream can show", () => {
  test("a terminal has its own width and colours, a pipe has 100 columns and none", () => {
    expect(terminalOf(tty, {}, {})).toMatchObject({ interactive: true, columns: 132, color: true });
    expect(terminalOf({}, {}, {})).toMatchObject({ interactive: false, columns: 100, color: false });
  });

  test("COLUMNS sets the width of a pipe only, and nonsense in it is ignored", () => {
    expect(terminalOf({}, {}, { COLUMNS: "160" }).columns).toBe(160);
    expect(terminalOf({}, {}, { COLUMNS: "wide" }).columns).toBe(100);
    expect(terminalOf(tty, {}, { COLUMNS: "160" }).columns).toBe(132);
  });

  test("a tiny or unknown width is taken for at least 40 columns", () => {
    expect(terminalOf({ isTTY: true, columns: 10 }, {}, {}).columns).toBe(40);
    expect(terminalOf({ isTTY: true, columns: 0 }, {}, {}).columns).toBe(100);
  });

  test.each([
    ["NO_COLOR turns colours off", tty, {}, { NO_COLOR: "1" }, false],
    ["an empty NO_COLOR says nothing", tty, {}, { NO_COLOR: "" }, true],
    ["FORCE_COLOR turns them on in a pipe", {}, {}, { FORCE_COLOR: "1" }, true],
    ["FORCE_COLOR=0 turns them off", tty, {}, { FORCE_COLOR: "0" }, false],
    ["FORCE_COLOR beats NO_COLOR", {}, {}, { FORCE_COLOR: "1", NO_COLOR: "1" }, true],
    ["--no-color beats FORCE_COLOR", tty, { color: false }, { FORCE_COLOR: "1" }, false],
    ["commander's default for --no-color asks for nothing", {}, { color: true }, {}, false],
    ["a dumb terminal has none", tty, {}, { TERM: "dumb" }, false],
  ])("%s", (_name, stream, flags, env, color) => {
    expect(terminalOf(stream, flags, env).color).toBe(color);
  });

  test("the pipeline's flags are carried on, quoted where a shell needs it", () => {
    expect(terminalOf(tty, {}, {}).pipelineFlags).toBe("");
    const flags = { config: "my data/it's.yaml", target: "prod" };
    expect(terminalOf(tty, flags, {}).pipelineFlags).toBe(` --config 'my data/it'\\''s.yaml' --target prod`);
  });

  test("a dumb terminal is not drawn over", () => {
    expect(terminalOf(tty, {}, { TERM: "dumb" }).interactive).toBe(false);
  });
});
