/** The process: the one module that touches it. Everything else gets an Io. */
import process from 'node:process';
import { EXIT, type Io, type Sink } from './io.ts';
import { run } from './program.ts';

const sinkOf = (stream: NodeJS.WriteStream): Sink => ({
  write: (text) => {
    stream.write(text);
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
  threads: !process.env['K8SNET_NO_THREADS'],
};

// A reader that has seen enough (head, less) closes the pipe: no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const end = (error: unknown): void => {
  const text = error instanceof Error ? error : new Error(String(error));
  const shown = process.env['K8SNET_DEBUG'] ? text.stack : text.message;
  io.stderr.write(
    `k8snet: this is a bug: ${shown}\n  K8SNET_DEBUG=1 shows where; please report it with the command and its input.\n`,
  );
  process.exitCode = EXIT.bug;
};

// Never process.exit: what is written to a pipe would be cut off.
run(process.argv.slice(2), io).then((code) => {
  process.exitCode = code;
}, end);
