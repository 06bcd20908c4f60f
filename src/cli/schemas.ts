/** The published JSON Schemas by name, each loaded when it is asked for. */
export const SCHEMAS = {
  scenario: async () => (await import('../scenario/schema.ts')).scenarioSchema(),
  expectations: async () =>
    (await import('../scenario/expectations/schema.ts')).expectationsSchema(),
  'test-report': async () => (await import('../check/test/schema.ts')).testReportSchema(),
  matrix: async () => (await import('../check/matrix/schema.ts')).matrixSchema(),
  lint: async () => (await import('../check/lint/schema.ts')).lintSchema(),
  trace: async () => (await import('../trace/schema/trace.ts')).traceSchema(),
  'trace-list': async () => (await import('../trace/schema/trace.ts')).traceListSchema(),
  diff: async () => (await import('../check/diff/schema.ts')).diffSchema(),
} as const satisfies Readonly<Record<string, () => Promise<object>>>;

export type SchemaName = keyof typeof SCHEMAS;
