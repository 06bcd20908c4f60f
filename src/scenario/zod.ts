/** zod, and the pieces that the schemas of our documents share. */
import * as z from 'zod';

export { z };

/** A text that must look like something; the error says what is expected. */
export const text = (pattern: RegExp, expected: string) => z.string().regex(pattern, expected);

export const name = text(
  /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/,
  'lower-case letters, digits, dots and dashes',
);

export const texts = z.record(z.string(), z.string());

/**
 * The JSON Schema (draft 2020-12) of files that hold documents of a kind. Only those are held to it:
 * the others of a stream are Kubernetes objects.
 */
export const fileSchema = (kind: string, schema: z.ZodType): object => {
  const { $schema, ...body } = z.toJSONSchema(schema, { io: 'input' });
  // Not a literal: an object with a method of this name would be taken for a promise.
  const condition = [
    ['if', { properties: { kind: { const: kind } }, required: ['kind'] }],
    ['then', { $ref: `#/$defs/${kind}` }],
  ];
  return {
    $schema,
    title: `k8snet ${kind}`,
    type: 'object',
    ...Object.fromEntries(condition),
    $defs: { [kind]: body },
  };
};
