import { z } from "zod";
import { type Manifest, manifest } from "./kubernetes-types.ts";

export interface Typo {
  /** The kind and the field, without indexes. */
  readonly path: string;
  /** A manifest with that field misspelt. */
  readonly document: Manifest;
}

/** Maps whose keys are whatever somebody wrote. */
const freeMaps =
  /\.(labels|annotations|matchLabels|data|limits|requests)$|^Service\.spec\.selector$|\.triggers\.metadata$/;

/** Each field of each kind misspelt once, in one of the manifests that have it, but for those by which it is known. */
export function typosIn(manifests: readonly Manifest[]): readonly Typo[] {
  const typos = new Map<string, Typo>();
  for (const { apiVersion, kind, ...others } of manifests) {
    for (const { path, value } of misspelt(others, kind)) {
      const document = manifest.safeParse({ ...value, apiVersion, kind });
      if (document.success && !typos.has(path)) typos.set(path, { path, document: document.data });
    }
  }
  return [...typos.values()];
}

interface Variant {
  readonly path: string;
  readonly value: Readonly<Record<string, unknown>>;
}

const fields = z.record(z.string(), z.unknown());

/** The object once for each field in it, however deep, with that field misspelt. */
function misspelt(value: Readonly<Record<string, unknown>>, path: string): readonly Variant[] {
  if (freeMaps.test(path)) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const { [name]: _gone, ...others } = value;
    const within = variantsOf(field, `${path}.${name}`);
    return [
      { path: `${path}.${name}`, value: { ...others, [`${name}z`]: field } },
      ...within.map((variant) => ({ path: variant.path, value: { ...value, [name]: variant.value } })),
    ];
  });
}

function variantsOf(
  field: unknown,
  path: string,
): readonly { readonly path: string; readonly value: unknown }[] {
  if (Array.isArray(field)) {
    return field.flatMap((item: unknown, index) =>
      variantsOf(item, path).map((variant) => ({ ...variant, value: field.with(index, variant.value) })),
    );
  }
  const parsed = fields.safeParse(field);
  return parsed.success ? misspelt(parsed.data, path) : [];
}
