/** Pieces of a JSON Schema that the compiler holds to the types of their values. */

export type Json = { readonly [key: string]: unknown };

/** A schema for values of a type, which only the compiler knows. */
export interface Schema<Value> {
  readonly json: Json;
  readonly type?: Value;
}

/** A field that may be missing. */
interface Optional<Value> extends Schema<Value> {
  readonly optional: true;
}

type Fields<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? Optional<Exclude<T[K], undefined>>
    : Schema<T[K]>;
};

export const raw = <Value>(json: Json): Schema<Value> => ({ json });
export const opt = <Value>({ json }: Schema<Value>): Optional<Value> => ({ json, optional: true });
export const described = <Value>({ json }: Schema<Value>, description: string): Schema<Value> => ({
  json: { ...json, description },
});

export const text = raw<string>({ type: 'string' });
export const whole = raw<number>({ type: 'integer' });
export const count = raw<number>({ type: 'integer', minimum: 0 });
export const flag = raw<boolean>({ type: 'boolean' });
export const ip = raw<string>({ type: 'string', format: 'ipv4' });
export const mac = raw<string>({ type: 'string', pattern: '^([0-9a-f]{2}:){5}[0-9a-f]{2}$' });
export const cidr = raw<string>({ type: 'string', pattern: '^[0-9.]+/[0-9]+$' });

export const only = <const Value extends string | number | boolean>(value: Value): Schema<Value> =>
  raw({ const: value });

export const enumOf = <Value>(values: readonly Value[]): Schema<Value> => raw({ enum: values });

/** A closed list that the compiler holds to be complete. */
export const closed =
  <Union extends string>() =>
  <const List extends readonly Union[]>(
    ...list: [Union] extends [List[number]] ? List : never
  ): Schema<Union> =>
    raw({ enum: list });

export const list = <Item>({ json }: Schema<Item>): Schema<Item[]> =>
  raw({ type: 'array', items: json });

export const anyOf = <const Schemas extends readonly Schema<unknown>[]>(
  ...schemas: Schemas
): Schema<Schemas[number] extends Schema<infer Value> ? Value : never> =>
  raw({ anyOf: schemas.map(({ json }) => json) });

const isOptional = (schema: Schema<unknown>): boolean => 'optional' in schema;

export const object = <T extends object>(fields: Fields<T>): Schema<T> => {
  const entries: [string, Schema<unknown>][] = Object.entries(fields);
  return raw({
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, { json }]) => [name, json])),
    required: entries.filter(([, schema]) => !isOptional(schema)).map(([name]) => name),
    additionalProperties: false,
  });
};

/** A union that the compiler holds to be complete. */
export const complete =
  <Union>() =>
  <Value extends Union>(
    schema: Schema<Value>,
    ..._complete: [Union] extends [Value] ? [] : [never]
  ): Schema<Union> =>
    schema;

export const ref = <Value>(name: string): Schema<Value> => raw({ $ref: `#/$defs/${name}` });
