/** `k8snet schema`: the published JSON Schemas. */
import { EXIT, type Io } from './io.ts';
import { SCHEMAS, type SchemaName } from './schemas.ts';

/** @returns the exit code. */
export async function schemaCommand(what: SchemaName, io: Io): Promise<number> {
  io.stdout.write(`${JSON.stringify(await SCHEMAS[what](), null, 2)}\n`);
  return EXIT.ok;
}
