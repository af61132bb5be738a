import { expect } from "vitest";
import { z } from "zod";
import type { ServedShop } from "./served-shop.ts";

const anyDocument = z.record(z.string(), z.unknown());
type AnyDocument = z.infer<typeof anyDocument>;
type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

export interface Described {
  /** The document as it came, once it has proved to be the described one, with no field that is not described. */
  readonly documentOf: (answer: Response, name: string) => Promise<AnyDocument>;
  /** The same of what came in another way. */
  readonly check: (document: unknown, name: string) => AnyDocument;
}

/** Compares answers with the OpenAPI description that the daemon itself serves. */
export async function describedBy(served: ServedShop): Promise<Described> {
  const { components } = z
    .object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) })
    .parse(await (await served.get("/api/v1/openapi.json")).json());
  const check = (document: unknown, name: string): AnyDocument => {
    const found = z.fromJSONSchema(closed(components.schemas[name])).safeParse(document);
    expect(found.error?.issues ?? [], name).toEqual([]);
    return anyDocument.parse(document);
  };
  return { check, documentOf: async (answer, name) => check(await answer.json(), name) };
}

function closed(schema: unknown): JsonSchema {
  const text = JSON.stringify(schema, (_key, value: unknown) =>
    typeof value === "object" && value !== null && "properties" in value && "type" in value
      ? { ...value, additionalProperties: false }
      : value,
  );
  const parsed: JsonSchema = JSON.parse(text);
  return parsed;
}
