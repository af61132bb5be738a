// Goal: what is sent to a cluster is right before there is one: rendered as kubectl does it, held against the types of Kubernetes with
// unknown fields included, and against the product's own config where the two speak of the same thing.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { prometheusRule } from "../../scripts/prometheus-rule.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { metricCatalog } from "../../src/observability/metric-catalog.ts";
import { checkFields, checkValues, type Manifest } from "../support/kubernetes-types.ts";
import { render } from "../support/kustomize.ts";
import { typosIn } from "../support/typos.ts";

const daemons = ["deploy/overlays/trial", "deploy/overlays/production", "examples/nba"];
const folders = [
  ...daemons,
  "deploy/overlays/production-split",
  "deploy/overlays/production-jobs",
  "deploy/overlays/once",
];
const secrets = "/run/secrets/gap-reconciler";

const rendered = new Map<string, readonly Manifest[]>();
beforeAll(() => {
  for (const folder of folders) rendered.set(folder, render(folder));
});

const podSpec = z.looseObject({
  terminationGracePeriodSeconds: z.number(),
  enableServiceLinks: z.literal(false),
  securityContext: z.looseObject({}),
  containers: z.array(
    z.looseObject({
      args: z.array(z.string()),
      ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })).prefault([]),
      resources: z.looseObject({ limits: z.record(z.string(), z.string()) }),
      securityContext: z.looseObject({}),
      volumeMounts: z.array(z.looseObject({})),
    }),
  ),
  volumes: z.array(z.looseObject({ configMap: z.looseObject({ name: z.string() }).optional() })),
});
const workload = z.union([
  z
    .looseObject({ spec: z.looseObject({ template: z.looseObject({ spec: podSpec }) }) })
    .transform(({ spec }) => spec.template.spec),
  z
    .looseObject({
      spec: z.looseObject({
        jobTemplate: z.looseObject({ spec: z.looseObject({ template: z.looseObject({ spec: podSpec }) }) }),
      }),
    })
    .transform(({ spec }) => spec.jobTemplate.spec.template.spec),
]);
const configMap = z.looseObject({ data: z.record(z.string(), z.string()) });

function of(folder: string, kind: string): readonly Manifest[] {
  return (rendered.get(folder) ?? []).filter((document) => document.kind === kind);
}

function podsIn(folder: string) {
  return [...of(folder, "Deployment"), ...of(folder, "CronJob")].map((document) => workload.parse(document));
}

/** What the config map holds whose name begins so; its name ends in a hash of it. */
function dataOf(folder: string, name: string): Readonly<Record<string, string>> {
  const found = of(folder, "ConfigMap").find(({ metadata }) => metadata.name.startsWith(`${name}-`));
  return configMap.parse(found).data;
}

/** The config as the pods of a folder load it, but for the place of the secrets: as somebody does on a desk. */
async function configOf(folder: string) {
  const place = await mkdtemp(join(tmpdir(), "gap-reconciler-deploy-"));
  try {
    const text = dataOf(folder, "gap-reconciler-pipeline")["pipeline.yaml"] ?? "";
    await writeFile(join(place, "pipeline.yaml"), text);
    for (const name of ["token", "redis-password"])
      await writeFile(join(place, name), "a-secret-of-this-test");
    const { GAP_RECONCILER_TARGET: target, ...env } = dataOf(folder, "gap-reconciler-environment");
    const file = join(place, "pipeline.yaml");
    return await loadConfig({ file, target: target ?? null, env: { ...env, PRIVATE_FOLDER: place } });
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

describe("the manifests", () => {
  test("have only fields that Kubernetes knows, with values that it takes", () => {
    const documents = [...rendered.values()].flat();
    for (const document of documents) expect(() => checkValues(document)).not.toThrow();
    const said = checkFields(documents);
    expect(
      documents.flatMap(({ kind }, index) => (said[index] === null ? [] : [[kind, said[index]]])),
    ).toEqual([]);
  });

  test("cannot have a typo: one planted in any field of any kind is caught", () => {
    const planted = typosIn([...rendered.values()].flat());
    const kinds = new Set([...rendered.values()].flat().map(({ kind }) => kind));
    const said = checkFields(planted.map(({ document }) => document));
    expect(planted.filter((_typo, index) => said[index] === null).map(({ path }) => path)).toEqual([]);
    expect(new Set(planted.map(({ document }) => document.kind))).toEqual(kinds);
  });

  test("cannot have a value of another type", () => {
    const [deployment] = of("deploy/overlays/production", "Deployment");
    const wrong = {
      ...deployment,
      spec: { ...z.looseObject({}).parse(deployment?.["spec"]), replicas: "two" },
    };
    expect(() =>
      checkValues({ ...wrong, apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "x" } }),
    ).toThrow(/replicas/);
  });

  test.each(folders)("of %s run nothing as root and nothing that writes or gains rights", (folder) => {
    const pods = podsIn(folder);
    expect(pods.length).toBeGreaterThan(0);
    for (const pod of pods) {
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      });
      for (const { securityContext, resources } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(Object.keys(resources.limits)).toEqual(["memory"]);
      }
    }
  });

  test.each(folders)(
    "of %s mount the very config that they bring, so that a changed one is another pod",
    (folder) => {
      const brought = of(folder, "ConfigMap").map(({ metadata }) => metadata.name);
      for (const pod of podsIn(folder)) {
        const mounted = pod.volumes.flatMap((volume) => volume.configMap?.name ?? []);
        expect(mounted).toEqual([expect.stringMatching(/^gap-reconciler-pipeline-[a-z0-9]{10}$/)]);
        expect(brought).toEqual(expect.arrayContaining(mounted));
      }
    },
  );

  test("of a trial repair nothing, and of production go through Redis", async () => {
    expect((await configOf("deploy/overlays/trial")).daemon.mode).toBe("observe");
    expect((await configOf("deploy/overlays/production")).redis).not.toBeNull();
    expect((await configOf("examples/nba")).redis).not.toBeNull();
  });

  test.each(["deploy/overlays/production", "examples/nba"])(
    "of %s mount secrets where they are read",
    (folder) => {
      const text = dataOf(folder, "gap-reconciler-pipeline")["pipeline.yaml"] ?? "";
      const read = [...text.matchAll(/_file: "\$\{PRIVATE_FOLDER:-([^}]*)\}/g)].map(([, place]) => place);
      const mounts = podsIn(folder).flatMap(({ containers }) => containers[0]?.volumeMounts ?? []);
      expect(read).toEqual([secrets, secrets]);
      expect(mounts).toContainEqual({ name: "secrets", mountPath: secrets, readOnly: true });
    },
  );

  test("plan in one Deployment and work in another, where the two are apart, as many as the queue needs", async () => {
    const folder = "deploy/overlays/production-split";
    const roles = of(folder, "Deployment").map((document) => [
      document.metadata.name,
      workload.parse(document).containers[0]?.args,
    ]);
    expect(Object.fromEntries(roles)).toEqual({
      "gap-reconciler": ["daemon", "--role", "planner"],
      "gap-reconciler-worker": ["daemon", "--role", "worker"],
    });
    const { spec } = scaledObject.parse(of(folder, "ScaledObject")[0]);
    expect(spec.scaleTargetRef.name).toBe("gap-reconciler-worker");
    const { pipeline } = await configOf(folder);
    const [trigger] = spec.triggers;
    const [, metric = "", name] =
      /gap_reconciler_(\w+)\{pipeline="([^"]+)"\}/.exec(trigger?.metadata["query"] ?? "") ?? [];
    expect(Object.keys(metricCatalog)).toContain(metric);
    expect(name).toBe(pipeline.name);
    expect(spec.maxReplicaCount * Number(trigger?.metadata["threshold"])).toBe(pipeline.limits.jobsMax);
  });

  test("of a job now and then let Kubernetes repeat nothing by itself", async () => {
    const [job] = of("deploy/overlays/once", "CronJob");
    expect(job).toMatchObject({
      spec: { concurrencyPolicy: "Forbid", jobTemplate: { spec: { backoffLimit: 0 } } },
    });
    const [pod] = podsIn("deploy/overlays/once");
    expect(pod?.containers[0]?.args).toEqual(expect.arrayContaining(["--once", "--gaps-exit-code", "0"]));
    expect((await configOf("deploy/overlays/once")).redis).toBeNull();
  });

  test("have the rights to make jobs only where they are asked for", () => {
    const withRole = folders.filter((folder) => of(folder, "Role").length > 0);
    expect(withRole).toEqual(["deploy/overlays/production-jobs"]);
    for (const folder of folders) {
      const isToken = of(folder, "ServiceAccount").some(
        (account) => account["automountServiceAccountToken"] !== false,
      );
      expect(isToken).toBe(withRole.includes(folder));
    }
  });

  test("are all told of in docs/deploy.md, and no other", async () => {
    const page = await readFile(new URL("../../docs/deploy.md", import.meta.url), "utf8");
    const told = [...page.matchAll(/^\| `([a-z-]+)` \| .* \| .* \|$/gm)].map(
      ([, name]) => `deploy/overlays/${name}`,
    );
    const overlays = await readdir(new URL("../../deploy/overlays", import.meta.url));
    expect(told.toSorted()).toEqual(overlays.map((name) => `deploy/overlays/${name}`).toSorted());
    expect(folders.filter((folder) => folder !== "examples/nba").toSorted()).toEqual(told.toSorted());
  });

  test.each(["production", "production-split"])(
    "take over what docs/deploy.md says is a user's own, also in %s",
    async (overlay) => {
      const page = await readFile(new URL("../../docs/deploy.md", import.meta.url), "utf8");
      const [, own = ""] = /```yaml\n(apiVersion: kustomize.*?)```/s.exec(page) ?? [];
      const folder = await mkdtemp(join(tmpdir(), "gap-reconciler-deploy-"));
      try {
        const base = fileURLToPath(new URL(`../../deploy/overlays/${overlay}`, import.meta.url));
        const file = own.replace("../deploy/overlays/production", relative(folder, base));
        await writeFile(join(folder, "kustomization.yaml"), file);
        await writeFile(join(folder, "pipeline.yaml"), "pipeline: my-pipeline\n");
        const documents = render(folder);
        expect(documents.map((document) => JSON.stringify(document)).join()).not.toMatch(/shop|us-docker/);
        const scaled = documents.flatMap((document) =>
          document.kind === "ScaledObject" ? scaledObject.parse(document).spec.triggers : [],
        );
        const name = expect.stringContaining('pipeline="my-pipeline"') as string;
        const expected = overlay === "production" ? [] : [{ metadata: { query: name } }];
        expect(scaled).toMatchObject(expected);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  test("carry the rules that Prometheus reads, in the operator's form", async () => {
    const deploy = new URL("../../deploy/", import.meta.url);
    const rules = await readFile(new URL("prometheus/rules.yml", deploy), "utf8");
    const written = await readFile(new URL("components/monitoring/prometheus-rule.yaml", deploy), "utf8");
    // Otherwise `npm run prometheus-rule` writes it anew.
    expect(written).toBe(prometheusRule(rules));
  });
});

const scaledObject = z.looseObject({
  spec: z.looseObject({
    scaleTargetRef: z.looseObject({ name: z.string() }),
    maxReplicaCount: z.number(),
    triggers: z.array(z.looseObject({ metadata: z.record(z.string(), z.string()) })).min(1),
  }),
});
