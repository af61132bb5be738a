// Goal: the image holds what it needs and nothing else, and runs as nobody special where nothing can be written.
// Method: no image can be built without a container engine, so that the Dockerfile's own steps are replayed in an empty folder.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { run } from "dockerfilelint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { parseStages } from "../support/image/dockerfile.ts";
import { withIdleDaemon } from "../support/image/idle-daemon.ts";
import { type ReplayedImage, replayImage } from "../support/image/replay.ts";

const replayMs = 400_000;
const dockerfile = readText("Dockerfile");
const dockerignore = readText(".dockerignore");

function readText(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
}

/** What the two linters say: each knows faults that the other does not. */
function lint(text: string): readonly unknown[] {
  return [...run(".", text), ...validate(text, {})];
}

describe("the Dockerfile", () => {
  test("has nothing that a linter finds", () => {
    expect(lint(dockerfile)).toEqual([]);
    expect(lint(dockerfile.replace(":nonroot", ":latest"))).not.toEqual([]);
    expect(lint(dockerfile.replace("--from=build", "--form=build"))).not.toEqual([]);
  });

  test("ends in an image that is not root, starts Node itself and leaves health to whoever asks", () => {
    const last = parseStages(dockerfile).at(-1);
    expect(last).toMatchObject({
      base: expect.stringMatching(/^gcr\.io\/distroless\/nodejs24-.*:nonroot$/),
      user: "65532:65532",
      entrypoint: ["/nodejs/bin/node", "--max-semi-space-size=4", "/app/dist/cli.js"],
      command: ["daemon"],
    });
    expect(last?.steps.filter(({ kind }) => kind === "run")).toEqual([]);
    expect(dockerfile).not.toMatch(/^HEALTHCHECK/m);
  });

  test("is what docs/deploy.md builds on for programs of one's own", () => {
    const [, onTop = ""] = /```dockerfile\n(.*?)```/s.exec(readText("docs/deploy.md")) ?? [];
    const [own, last] = [parseStages(onTop).at(-1), parseStages(dockerfile).at(-1)];
    expect(lint(onTop)).toEqual([]);
    expect([own?.user, own?.entrypoint, own?.command]).toEqual([last?.user, last?.entrypoint, last?.command]);
  });

  test("is given by .dockerignore what it copies and nothing else", () => {
    const [first, ...others] = dockerignore
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    const copied = parseStages(dockerfile).flatMap(({ steps }) =>
      steps.flatMap((step) => (step.kind === "copy" && step.from === null ? step.sources : [])),
    );
    expect(first).toBe("*");
    expect(others.map((line) => line.replace(/^!/, "")).toSorted()).toEqual([...new Set(copied)].toSorted());
    expect(others.every((line) => line.startsWith("!"))).toBe(true);
  });
});

const installedPackages = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })),
});

describe("the image", () => {
  let image: ReplayedImage;
  beforeAll(() => {
    image = replayImage();
  }, replayMs);
  afterAll(() => image.remove(), replayMs);

  test("holds its program, its statements and the packages that it runs with", () => {
    const app = join(image.root, "app");
    expect(readdirSync(image.root).toSorted()).toEqual(["app", "config", "nodejs"]);
    expect(readdirSync(app).toSorted()).toEqual(["LICENSE", "dist", "node_modules", "package.json", "sql"]);
    const lock: unknown = JSON.parse(readFileSync(join(app, "node_modules/.package-lock.json"), "utf8"));
    const installed = Object.entries(installedPackages.parse(lock).packages);
    expect(installed.filter(([, { dev }]) => dev === true)).toEqual([]);
    expect(installed.map(([path]) => path)).toContain("node_modules/bullmq");
  });

  test(
    "runs as another user with nothing to write to, in little memory, and stops when it is told",
    () =>
      withIdleDaemon(image, async (daemon) => {
        expect(daemon.residentBytes()).toBeLessThan(150 * 2 ** 20);
        expect(await daemon.stop()).toMatchObject({ code: 0 });
      }),
    replayMs,
  );
});
