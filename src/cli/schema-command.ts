/** `k8snet schema`: the published JSON Schemas. */
import { EXIT, type Io } from './io.ts';

/** @returns the exit code. */
export async function schemaCommand(what: 'scenario' | 'trace', io: Io): Promise<number> {
  const schema =
    what === 'trace'
      ? (await import('../trace/schema.ts')).traceSchema()
      : (await import('../scenario/schema.ts')).scenarioSchema();
  io.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  return EXIT.ok;
}
