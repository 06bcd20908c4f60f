import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const bin = join(import.meta.dirname, '../../bin/k8snet.js');

/** Compiled code is kept, as it is for a user, but not in the home of who runs the tests. */
const cacheHome = join(import.meta.dirname, '../../.cache/home');

export interface Result {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Options {
  cwd?: string;
  /** Set on top of an environment without variables that change what k8snet does. */
  env?: Record<string, string>;
  /** Written to standard input, which is closed afterwards; without it, it is empty. */
  input?: string;
  /** The reader of standard output is gone before the command starts to write. */
  closedPipe?: boolean;
}

/** Runs the built CLI as a user's shell would: as a process, without a terminal. */
export function k8snet(args: readonly string[], options: Options = {}): Promise<Result> {
  return run(process.execPath, [bin, ...args], options);
}

export function run(
  command: string,
  args: readonly string[],
  { cwd, env, input, closedPipe }: Options = {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...plainEnvironment(), ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    if (closedPipe) child.stdout.destroy();
    // A command that ends without reading its input closes the pipe early.
    child.stdin.on('error', () => {}).end(input);
  });
}

function plainEnvironment(): NodeJS.ProcessEnv {
  const unwanted =
    /^(K8SNET_|VITEST|(NO_COLOR|FORCE_COLOR|CLICOLOR|COLUMNS|TERM|CI|NODE_OPTIONS)$)/;
  const wanted = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
  return { ...Object.fromEntries(wanted), XDG_CACHE_HOME: cacheHome };
}
