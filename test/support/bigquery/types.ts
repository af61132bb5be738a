/** The types of BigQuery, as its SQL, its JSON schemas and the engine name them. */

const engineKinds = {
  INT64: 2,
  BOOL: 5,
  FLOAT64: 7,
  STRING: 8,
  BYTES: 9,
  DATE: 10,
  TIMESTAMP: 19,
  TIME: 20,
  DATETIME: 21,
  NUMERIC: 23,
  BIGNUMERIC: 24,
  JSON: 26,
} as const;
const arrayKind = 16;
const structKind = 17;

export type ScalarKind = keyof typeof engineKinds;
export type SqlType =
  | { readonly kind: ScalarKind }
  | { readonly kind: "ARRAY"; readonly element: SqlType }
  | { readonly kind: "STRUCT"; readonly fields: readonly Column[] };
export interface Column {
  readonly name: string;
  readonly type: SqlType;
  readonly required?: boolean;
  readonly description?: string;
}

/** A type as the engine takes and gives it. */
export interface TypeProto {
  readonly typeKind: number;
  readonly arrayType?: { readonly elementType: TypeProto } | null;
  readonly structType?: {
    readonly field: readonly { readonly fieldName: string; readonly fieldType: TypeProto }[];
  } | null;
}

/** A field of a JSON schema, under the old type names that BigQuery answers with. */
export interface SchemaField {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly fields?: readonly SchemaField[];
  readonly description?: string;
}

const schemaNames: Partial<Record<string, string>> = { INT64: "INTEGER", FLOAT64: "FLOAT", BOOL: "BOOLEAN" };
const aliases: Partial<Record<string, ScalarKind>> = {
  INT: "INT64",
  INTEGER: "INT64",
  BIGINT: "INT64",
  SMALLINT: "INT64",
  FLOAT: "FLOAT64",
  BOOLEAN: "BOOL",
  DECIMAL: "NUMERIC",
  BIGDECIMAL: "BIGNUMERIC",
};

function scalarKind(name: string): ScalarKind {
  const upper = name.trim().toUpperCase();
  const found = (Object.keys(engineKinds) as ScalarKind[]).find((kind) => kind === upper) ?? aliases[upper];
  if (found === undefined) throw new Error(`${name} is no type that this server knows`);
  return found;
}

/** Reads `INT64`, `array<string>` or `struct<a int64, b array<date>>`. */
export function parseType(text: string): SqlType {
  const nested = /^\s*(array|struct)\s*<(.*)>\s*$/is.exec(text);
  const [, outer = "", inner = ""] = nested ?? [];
  if (outer.toLowerCase() === "array") return { kind: "ARRAY", element: parseType(inner) };
  if (outer.toLowerCase() !== "struct") return { kind: scalarKind(text.replace(/\(.*\)/, "")) };
  const fields: Column[] = [];
  let depth = 0;
  let field = "";
  for (const character of `${inner},`) {
    if (character === "<") depth += 1;
    if (character === ">") depth -= 1;
    if (character === "," && depth === 0) {
      const [, name = "", type = ""] = /^\s*(\S+)\s+(.*)$/s.exec(field) ?? [];
      fields.push({ name, type: parseType(type) });
      field = "";
    } else field += character;
  }
  return { kind: "STRUCT", fields };
}

export function typeName(type: SqlType): string {
  if (type.kind === "ARRAY") return `ARRAY<${typeName(type.element)}>`;
  if (type.kind !== "STRUCT") return type.kind;
  return `STRUCT<${type.fields.map((field) => `${field.name} ${typeName(field.type)}`).join(", ")}>`;
}

export function toTypeProto(type: SqlType): TypeProto {
  if (type.kind === "ARRAY")
    return { typeKind: arrayKind, arrayType: { elementType: toTypeProto(type.element) } };
  if (type.kind !== "STRUCT") return { typeKind: engineKinds[type.kind] };
  const field = type.fields.map(({ name, type: of }) => ({ fieldName: name, fieldType: toTypeProto(of) }));
  return { typeKind: structKind, structType: { field } };
}

export function fromTypeProto(proto: TypeProto): SqlType {
  if (proto.typeKind === arrayKind && proto.arrayType)
    return { kind: "ARRAY", element: fromTypeProto(proto.arrayType.elementType) };
  if (proto.typeKind === structKind && proto.structType)
    return {
      kind: "STRUCT",
      fields: proto.structType.field.map(({ fieldName, fieldType }) => ({
        name: fieldName,
        type: fromTypeProto(fieldType),
      })),
    };
  const kind = (Object.keys(engineKinds) as ScalarKind[]).find(
    (name) => engineKinds[name] === proto.typeKind,
  );
  if (kind === undefined) throw new Error(`the engine's type ${proto.typeKind} is not supported here`);
  return { kind };
}

export function toSchemaField({ name, type, required, description }: Column): SchemaField {
  const inner = type.kind === "ARRAY" ? type.element : type;
  const mode = type.kind === "ARRAY" ? "REPEATED" : required === true ? "REQUIRED" : "NULLABLE";
  const described = description === undefined ? {} : { description };
  if (inner.kind === "STRUCT")
    return { name, type: "RECORD", mode, fields: inner.fields.map(toSchemaField), ...described };
  return { name, type: schemaNames[inner.kind] ?? inner.kind, mode, ...described };
}

export function fromSchemaField(field: SchemaField): Column {
  const isRecord = ["RECORD", "STRUCT"].includes(field.type.toUpperCase());
  const inner: SqlType = isRecord
    ? { kind: "STRUCT", fields: (field.fields ?? []).map(fromSchemaField) }
    : { kind: scalarKind(field.type) };
  return {
    name: field.name,
    type: field.mode?.toUpperCase() === "REPEATED" ? { kind: "ARRAY", element: inner } : inner,
    ...(field.mode?.toUpperCase() === "REQUIRED" ? { required: true } : {}),
    ...(field.description === undefined ? {} : { description: field.description }),
  };
}

/** The type of a query parameter, as requests carry it. */
export interface ParameterType {
  readonly type?: string;
  readonly arrayType?: ParameterType;
  readonly structTypes?: readonly { readonly name: string; readonly type: ParameterType }[];
}

export function fromParameterType({ type = "", arrayType, structTypes }: ParameterType): SqlType {
  if (arrayType !== undefined) return { kind: "ARRAY", element: fromParameterType(arrayType) };
  if (structTypes === undefined) return { kind: scalarKind(type) };
  return {
    kind: "STRUCT",
    fields: structTypes.map((field) => ({ name: field.name, type: fromParameterType(field.type) })),
  };
}

export function toParameterType(type: SqlType): ParameterType {
  if (type.kind === "ARRAY") return { type: "ARRAY", arrayType: toParameterType(type.element) };
  if (type.kind !== "STRUCT") return { type: type.kind };
  return {
    type: "STRUCT",
    structTypes: type.fields.map((field) => ({ name: field.name, type: toParameterType(field.type) })),
  };
}
