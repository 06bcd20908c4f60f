/** `k8snet test --watch`: tests again whenever a file changes, until somebody interrupts. */
import { watchPaths } from '../scenario/read/files.ts';
import { EXIT, type Io } from './io.ts';
import { words } from './tell.ts';

/** Editors write more than once; an archive brings many files. */
const SETTLED_MS = 100;

/** The whole screen, and the cursor at its top. */
const CLEAR = '\u001b[2J\u001b[H';

/**
 * @param paths as they were given; files that turn out to be read are watched as well.
 * @returns 130: nothing else ends it.
 */
export function watchTests(
  paths: readonly string[],
  test: () => Promise<{ readonly files: ReadonlySet<string> }>,
  io: Io,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let running = false;
    let again = false;
    let known = '';
    let stop = (): void => {};
    const watchAlso = (files: ReadonlySet<string>): void => {
      const all = [...new Set([...paths, ...files])];
      if (all.join('\0') === known) return;
      known = all.join('\0');
      stop();
      stop = watchPaths(all, changed);
    };
    const run = async (): Promise<void> => {
      running = true;
      if (io.stdout.isTTY) io.stdout.write(CLEAR);
      const { files } = await test();
      watchAlso(files);
      io.stderr.write(`${words.report.watching(files.size)}\n`);
      running = false;
      if (again) changed();
    };
    const changed = (): void => {
      again = running;
      if (running) return;
      clearTimeout(timer);
      timer = setTimeout(() => run().catch(end), SETTLED_MS);
    };
    const release = io.onInterrupt?.(() => end());
    const end = (error?: unknown): void => {
      clearTimeout(timer);
      stop();
      release?.();
      if (error === undefined) resolve(EXIT.interrupted);
      else reject(error);
    };
    // Before anything is read, so that no change is missed.
    watchAlso(new Set());
    run().catch(end);
  });
}
