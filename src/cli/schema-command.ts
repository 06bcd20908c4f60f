/** `k8snet schema`: the published JSON Schemas. */
import { EXIT, type Io } from './io.ts';

type What = 'scenario' | 'trace' | 'trace-list';

async function schemaOf(what: What): Promise<object> {
  switch (what) {
    case 'scenario':
      return (await import('../scenario/schema.ts')).scenarioSchema();
    case 'trace':
      return (await import('../trace/schema/trace.ts')).traceSchema();
    case 'trace-list':
      return (await import('../trace/schema/trace.ts')).traceListSchema();
    default:
      return what satisfies never;
  }
}

/** @returns the exit code. */
export async function schemaCommand(what: What, io: Io): Promise<number> {
  io.stdout.write(`${JSON.stringify(await schemaOf(what), null, 2)}\n`);
  return EXIT.ok;
}
