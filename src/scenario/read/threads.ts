/** Threads that parse batches of a large input beside the one that reads it: both of their sides. */
import { availableParallelism } from 'node:os';
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from 'node:worker_threads';
import { type Batch, type Pack, packBatch } from './pack.ts';
import type { Helpers } from './read-inputs.ts';

/** More than this the reading thread does not keep busy. */
const MOST_THREADS = 4;
/** Batches that wait for a thread: one that it works on, and the next. */
const MOST_WAITING = 2;

/** What a batch takes is little; a thread that needs more ends, and its batches are done here. */
const THREAD_MEGABYTES = 256;

interface Request {
  readonly id: number;
  readonly batch: Batch;
}

interface Answer {
  readonly id: number;
  readonly pack: Pack;
}

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly waiting: Map<number, (pack: Pack | undefined) => void>;
}

/**
 * Starts threads, as many as there are processors beside the one that reads; undefined where there
 * is no other. One that fails gives back what it had, and is not asked again.
 * @param script what the threads run: it calls `serve`
 */
export const startThreads = (script: URL): Helpers | undefined => {
  const count = Math.min(availableParallelism() - 1, MOST_THREADS);
  if (count < 1) return undefined;
  let next = 0;
  const threads = new Set<Thread>();
  const take = ({ waiting }: Thread, { id, pack }: Answer): void => {
    waiting.get(id)?.(pack);
    waiting.delete(id);
  };
  /** What has come in by now; reading does not stop for the event loop. */
  const takeAll = (thread: Thread): void => {
    for (;;) {
      const received = receiveMessageOnPort(thread.port);
      if (!received) return;
      take(thread, received.message as Answer);
    }
  };
  const giveUp = (thread: Thread): void => {
    threads.delete(thread);
    for (const settle of thread.waiting.values()) settle(undefined);
    thread.waiting.clear();
  };
  for (let at = 0; at < count; at++) {
    const { port1: port, port2 } = new MessageChannel();
    const worker = new Worker(script, {
      workerData: port2,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MEGABYTES },
    });
    const thread: Thread = { worker, port, waiting: new Map() };
    threads.add(thread);
    port.on('message', (answer: Answer) => take(thread, answer));
    worker.on('error', () => giveUp(thread));
    worker.on('exit', () => giveUp(thread));
  }
  const idlest = (): Thread | undefined =>
    [...threads].reduce<Thread | undefined>(
      (best, one) => (best && best.waiting.size <= one.waiting.size ? best : one),
      undefined,
    );
  return {
    free: () => {
      for (const thread of threads) takeAll(thread);
      const thread = idlest();
      return thread !== undefined && thread.waiting.size < MOST_WAITING;
    },
    pack: (batch) =>
      new Promise((resolve) => {
        const thread = idlest();
        if (!thread) {
          resolve(undefined);
          return;
        }
        const request: Request = { id: next++, batch };
        thread.waiting.set(request.id, resolve);
        thread.port.postMessage(request);
      }),
    close: () => {
      for (const { worker, port } of threads) {
        port.close();
        void worker.terminate();
      }
    },
  };
};

/** The other side: parses what it is sent, until the thread is ended. */
export const serve = (): void => {
  const port = workerData as MessagePort;
  port.on('message', async ({ id, batch }: Request) => {
    const yaml = batch.units.some(({ kind }) => kind !== 'json');
    const parseYaml = yaml ? (await import('./yaml.ts')).parseYaml : undefined;
    const pack = packBatch(batch, parseYaml);
    const { json, table } = pack;
    const answer: Answer = { id, pack };
    port.postMessage(answer, [json.buffer, table.buffer] as ArrayBuffer[]);
  });
};
