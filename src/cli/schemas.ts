/** The published JSON Schemas by name, each loaded when it is asked for. */
export const SCHEMAS = {
  scenario: async () => (await import('../scenario/schema.ts')).scenarioSchema(),
  trace: async () => (await import('../trace/schema/trace.ts')).traceSchema(),
  'trace-list': async () => (await import('../trace/schema/trace.ts')).traceListSchema(),
} as const satisfies Readonly<Record<string, () => Promise<object>>>;

export type SchemaName = keyof typeof SCHEMAS;
