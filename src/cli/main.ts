/** The process: the one module that touches it. Everything else gets an Io. */
import process from 'node:process';
import { EXIT, type Io, type Sink } from './io.ts';
import { run } from './program.ts';

const sinkOf = (stream: NodeJS.WriteStream): Sink => ({
  write: (text) => {
    stream.write(text);
  },
  drained: () =>
    new Promise((resolve) => {
      if (!stream.writableNeedDrain || stream.destroyed) return resolve();
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
    }),
  get closed() {
    return stream.destroyed;
  },
  isTTY: stream.isTTY === true,
  columns: stream.isTTY ? stream.columns : undefined,
});

const io: Io = {
  stdout: sinkOf(process.stdout),
  stderr: sinkOf(process.stderr),
  // Made when it is first looked at: opening standard input takes time.
  get stdin() {
    return { isTTY: process.stdin.isTTY === true };
  },
  env: process.env,
  onInterrupt: (listener) => {
    process.on('SIGINT', listener);
    return () => process.off('SIGINT', listener);
  },
  threads: !process.env['K8SNET_NO_THREADS'],
};

/** Set once the result could not be written: nothing that comes later makes up for that. */
let unwritten = false;

// A reader that has seen enough (head, less) closes the pipe: no error. A full disk is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || unwritten) return;
  unwritten = true;
  process.exitCode = EXIT.io;
  io.stderr.write(`k8snet: cannot write the output: ${error.message}\n`);
});
// Nobody is left to be told.
process.stderr.on('error', () => {});

const end = (code: number): void => {
  if (!unwritten) process.exitCode = code;
};

const fail = (error: unknown): void => {
  const text = error instanceof Error ? error : new Error(String(error));
  const shown = process.env['K8SNET_DEBUG'] ? text.stack : text.message;
  io.stderr.write(
    `k8snet: this is a bug: ${shown}\n  K8SNET_DEBUG=1 shows where; please report it with the command and its input.\n`,
  );
  end(EXIT.bug);
};

// Never process.exit: what is written to a pipe would be cut off.
run(process.argv.slice(2), io).then(end, fail);
