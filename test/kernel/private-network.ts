/** Network namespaces of our own, with shells and agents in them; gone when the test ends. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A shell that stays, in one namespace. */
export interface Shell {
  /** Runs a script; throws with what it printed on stderr when it fails. */
  run(script: string, input?: string): Promise<string>;
}

export interface PrivateNetwork {
  /** The namespace that nobody named. */
  readonly root: Shell;
  shell(netns: string): Shell;
  /** A process in a namespace that answers each JSON line with one that has the same `n`. */
  agent(netns: string, file: string): (command: { n: number }) => Promise<string>;
  close(): Promise<void>;
}

const END = '=end=';

const talk = (child: ChildProcessWithoutNullStreams): Shell => {
  let out = '';
  let errors = '';
  let finish: ((code: number) => void) | undefined;
  let last: Promise<unknown> = Promise.resolve();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    const found = new RegExp(`${END}(\\d+)\\n$`).exec(out);
    if (found) finish?.(Number(found[1]));
  });
  const one = (script: string, input: string | undefined): Promise<string> =>
    new Promise((resolve, reject) => {
      out = '';
      errors = '';
      finish = (code) => {
        finish = undefined;
        const text = out.slice(0, out.lastIndexOf(END));
        if (code === 0) resolve(text);
        else reject(new Error(`${script}\n${input ?? ''}\n${errors}`));
      };
      const given = input === undefined ? '</dev/null' : `<<'${END}'\n${input}\n${END}\n`;
      child.stdin.write(`( ${script}\n) ${given}\necho "${END}$?"\n`);
    });
  return {
    run: (script, input) => {
      const next = last.catch(() => undefined).then(() => one(script, input));
      last = next;
      return next;
    },
  };
};

/** Opens a private network; everything in it ends with `close`. */
export const openPrivateNetwork = async (): Promise<PrivateNetwork> => {
  const keeper = spawn('unshare', ['-nm', '--propagation', 'private', 'bash']);
  const children = [keeper];
  const root = talk(keeper);
  await root.run('mount -t tmpfs tmpfs /run && ip link set lo up');
  const enter = (netns: string, ...command: string[]): ChildProcessWithoutNullStreams => {
    const inside = ['ip', 'netns', 'exec', netns, ...command];
    const child = spawn('nsenter', ['-t', `${keeper.pid}`, '-m', '-n', ...inside]);
    children.push(child);
    return child;
  };
  return {
    root,
    shell: (netns) => talk(enter(netns, 'bash')),
    agent: (netns, file) => {
      const child = enter(netns, process.execPath, file);
      const waiting = new Map<number, (result: string) => void>();
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { n, result }: { n: number; result: string } = JSON.parse(line);
        waiting.get(n)?.(result);
        waiting.delete(n);
      });
      return (command) =>
        new Promise((resolve) => {
          waiting.set(command.n, resolve);
          child.stdin.write(`${JSON.stringify(command)}\n`);
        });
    },
    close: async () => {
      const ended = children.map((child) => new Promise((resolve) => child.on('exit', resolve)));
      for (const child of children) child.stdin.end();
      await Promise.all(ended);
    },
  };
};
