import { expect, test } from "vitest";
import { faults, load, loadError, pipelineYaml } from "./load.ts";

const url = "https://hooks.example.com/services/T1/B2/s3cr3t";
const withReceiver = (receiver: string) => pipelineYaml(undefined, `notify: { ops: ${receiver} }`);

test("a receiver needs nothing but its URL, which a file may hold, and which is shown nowhere", async () => {
  const { config } = await load({
    yaml: withReceiver("{ url_file: hook, format: slack, events: [mass_gap], timeout: 3s }"),
    files: { hook: `${url}\n` },
  });
  expect(config.notify).toEqual([
    { name: "ops", url, format: "slack", events: ["mass_gap"], headers: {}, timeoutMs: 3000 },
  ]);
  const inline = (await load({ yaml: withReceiver(`{ url: "${url}" }`) })).config;
  expect(inline.notify).toEqual([
    {
      name: "ops",
      url,
      format: "json",
      events: ["quarantined", "reopened", "mass_gap", "converged"],
      headers: {},
      timeoutMs: 10_000,
    },
  ]);
  expect(JSON.stringify(inline.jsonDocument)).not.toContain("s3cr3t");
  expect(inline.secrets).toContain(url);
});

test("a receiver without a usable URL is refused, and what stands there is not shown", async () => {
  const told = async (receiver: string) => (await loadError({ yaml: withReceiver(receiver) })).message;
  expect(faults(await loadError({ yaml: withReceiver("{ format: json }") }))).toEqual([
    expect.stringMatching(/notify\.ops expected either url or url_file found neither.*kept in a file/),
  ]);
  expect(await told(`{ url: "${url}", url_file: hook }`)).toMatch(/either url or url_file\s+found\s+both/);
  const wrong = await told("{ url: hooks.example.com/s3cr3t }");
  expect(wrong).toMatch(/expected\s+a URL of https or http/);
  expect(wrong.split("found")[1]).not.toContain("s3cr3t");
  expect(await told(`{ url: "${url}", events: [] }`)).toContain("at least one event");
  expect(await told(`{ url: "${url}", events: [gaps] }`)).toMatch(
    /one of quarantined, reopened, mass_gap, converged/,
  );
  expect(await told("{ url_file: nowhere }")).toMatch(/a file with a secret at/);
});
