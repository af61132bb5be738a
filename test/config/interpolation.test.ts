import { expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { faults, load, loadError, pipelineYaml } from "./load.ts";

function actionOf(config: Config) {
  return config.pipeline.repairUnits[0]?.action;
}

function withEnv(text: string): string {
  return pipelineYaml(
    `  a: { table: raw.a, date_column: d, repair: { command: [x, ${JSON.stringify(text)}] } }`,
  );
}

async function argument(
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const action = actionOf((await load({ yaml: withEnv(text), env })).config);
  return action?.kind === "command" ? action.argv[1] : undefined;
}

test("variables, defaults, messages and dollars are filled in", async () => {
  expect(await argument("<${A}>", { A: "1" })).toBe("<1>");
  expect(await argument("${A}", { A: "" })).toBe("");
  expect(await argument("${A:-x y}")).toBe("x y");
  expect(await argument("${A:-x}", { A: "" })).toBe("x");
  expect(await argument("${A:-}")).toBe("");
  expect(await argument("${A:-x}", { A: "1" })).toBe("1");
  expect(await argument("${A:?is needed}${B}", { A: "1", B: "2" })).toBe("12");
  expect(await argument("$$ $${A} $1 $A $")).toBe("$ ${A} $1 $A $");
});

test("a value is never read as a placeholder again", async () => {
  expect(await argument("${A}", { A: "${B} $$" })).toBe("${B} $$");
});

test("keys and comments are left alone", async () => {
  const yaml = pipelineYaml(undefined, "# ${NOT_SET}\ndaemon: { mode: observe }");
  expect((await load({ yaml })).config.daemon.mode).toBe("observe");
});

test("numbers and flags may come from the environment, and are told when they are none", async () => {
  const yaml = pipelineYaml(
    '  a: { table: raw.a, date_column: d, chronological: "${C}", repair: { command: [x], max_attempts: "${N}" } }',
  );
  const { config } = await load({ yaml, env: { N: "4", C: "true" } });
  expect(config.pipeline.repairUnits[0]?.maxAttempts).toBe(4);
  expect(config.pipeline.processors[0]?.chronological).toBe(true);
  expect(faults(await loadError({ yaml, env: { N: "many", C: "yes" } }))).toEqual([
    expect.stringMatching(/chronological expected true or false found "yes"$/),
    expect.stringMatching(/repair\.max_attempts expected a whole number from 1 to 100 found "many"$/),
  ]);
});

test("a number in quotes without a placeholder stays text", async () => {
  const yaml = pipelineYaml('  a: { table: raw.a, date_column: d, priority: "4" }');
  expect(faults(await loadError({ yaml }))[0]).toMatch(/priority expected a whole number .*found "4"$/);
});

test("only the target in force is filled in", async () => {
  const yaml = pipelineYaml(undefined, 'targets:\n  x: {}\n  y: { limits: { jobs_max: "${JOBS}" } }\n');
  expect((await load({ yaml, target: "x" })).config.pipeline.limits.jobsMax).toBe(8);
  expect((await load({ yaml, target: "y", env: { JOBS: "3" } })).config.pipeline.limits.jobsMax).toBe(3);
  expect(faults(await loadError({ yaml, target: "y" }))).toEqual([
    expect.stringMatching(
      /^pipeline\.yaml:\d+:\d+ targets\.y\.limits\.jobs_max expected the environment variable JOBS/,
    ),
  ]);
});

test("a secret from a file is trimmed of its last line break, redacted by value and masked in the document", async () => {
  const yaml = pipelineYaml(
    '  a: { table: raw.a, date_column: d, repair: { http: { url: "http://h/", headers: { X-Key: "k ${file:secret.txt}!" } } } }',
  );
  const { config } = await load({ yaml, files: { "secret.txt": "hunter2\n" } });
  const action = actionOf(config);
  expect(action?.kind === "http" && action.headers["X-Key"]).toBe("k hunter2!");
  expect(config.secrets).toEqual(["hunter2"]);
  const document = JSON.stringify(config.jsonDocument);
  expect(document).not.toContain("hunter2");
  expect(document).toContain('"X-Key":"k ***!"');
});

test("a secret file that is not there, or empty, is told with its path", async () => {
  const yaml = withEnv("${file:secret.txt}");
  expect(faults(await loadError({ yaml }))[0]).toMatch(
    /command\[1\] expected a file with a secret at secret\.txt found no such file to do check the path/,
  );
  expect(faults(await loadError({ yaml, files: { "secret.txt": "\n" } }))[0]).toMatch(/found an empty file$/);
});

test("variables with the name of a secret, passwords in URLs and literal tokens are secrets", async () => {
  const yaml = pipelineYaml(`  a:
    table: raw.a
    date_column: d
    repair:
      http:
        url: "http://user:in-the-url@h/\${PLAIN}"
        headers: { Authorization: Bearer literal-token, X-Sent: "\${API_TOKEN}", X-Short: "\${SHORT_SECRET}" }
        body: "\${DATABASE}"`);
  const env = {
    PLAIN: "plain-value",
    API_TOKEN: "from-env",
    SHORT_SECRET: "abc",
    DATABASE: "postgres://u:p%40ssword@db/x",
  };
  const { config } = await load({ yaml, env });
  expect([...config.secrets].sort()).toEqual([
    "from-env",
    "in-the-url",
    "literal-token",
    "p%40ssword",
    "p@ssword",
  ]);
  const document = JSON.stringify(config.jsonDocument);
  for (const secret of config.secrets) expect(document).not.toContain(secret);
  expect(document).toContain("plain-value");
  expect(document).toContain('"X-Short":"***"');
});

test("a template is no secret, whatever the header is called", async () => {
  const yaml = pipelineYaml(
    '  a: { table: raw.a, date_column: d, repair: { http: { url: "http://h/", headers: { X-Fencing-Token: "{{fencing_token}}" } } } }',
  );
  const { config } = await load({ yaml });
  expect(config.secrets).toEqual([]);
  expect(JSON.stringify(config.jsonDocument)).toContain("{{fencing_token}}");
});

test("a secret is never shown in an error", async () => {
  const yaml = pipelineYaml('  a: { table: raw.a, date_column: d, priority: "${DB_PASSWORD}" }');
  const error = await loadError({ yaml, env: { DB_PASSWORD: "hunter2" } });
  expect(faults(error)[0]).toMatch(/priority expected a whole number .* found "\*\*\*"$/);
  expect(error.message).not.toContain("hunter2");
});

test("the daemon's token is read from its file", async () => {
  const yaml = pipelineYaml(undefined, "http: { token_file: token }");
  const { config } = await load({ yaml, files: { token: "s3cret-token\n" } });
  expect(config.http).toEqual({ listen: "127.0.0.1:8080", token: "s3cret-token" });
  expect(config.secrets).toEqual(["s3cret-token"]);
  expect(faults(await loadError({ yaml }))[0]).toMatch(
    /http\.token_file expected a file with a secret at \S+ found no such file/,
  );
});
