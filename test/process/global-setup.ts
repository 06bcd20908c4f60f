import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Builds the CLI once, with the Node that runs the tests. */
export function setup() {
  const script = join(import.meta.dirname, '../../scripts/build.js');
  execFileSync(process.execPath, [script], { stdio: 'inherit' });
}
