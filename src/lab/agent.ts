/** Starts the one process inside a private copy of the network, and talks to it. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';

/** A command for the agent to run inside a namespace (absent: the private copy's own). */
export interface Job {
  readonly ns?: string;
  readonly argv: readonly string[];
  readonly input?: string;
}

/** Exit code, standard output, standard error. */
export type JobResult = readonly [code: number, out: string, err: string];

/** One captured frame: ns since the agent started, ifindex, leaving?, bytes on the wire, hex of the bytes. */
export type RawFrame = readonly [
  time: number,
  ifindex: number,
  outgoing: boolean,
  length: number,
  hex: string,
];

/** One dropped packet: ns since the agent started, the kernel's name for the reason. */
export type Drop = readonly [time: number, reason: string];

export interface ListenerRequest {
  readonly ns: string;
  readonly protocol: 'tcp' | 'udp';
  readonly ip: string;
  readonly port: number;
}

export interface ClientRequest {
  readonly ns: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly dst: string;
  readonly dport?: number | undefined;
  readonly sport: number;
  readonly src?: string | undefined;
  readonly size?: number | undefined;
  /** What a datagram carries, in hexadecimal, in place of `size` zeros. */
  readonly payload?: string | undefined;
  readonly ttl?: number | undefined;
}

export interface ProbeRequest {
  readonly listeners: readonly ListenerRequest[];
  readonly client: ClientRequest;
  /** What a listener answers to a datagram, in hexadecimal; absent: what it got. */
  readonly answer?: string | undefined;
  /** Seconds without a frame after which a decided probe, and an undecided one, is over. */
  readonly quiet: number;
  readonly patience: number;
  /** Seconds after which the probe is over whatever still goes on. */
  readonly limit: number;
  /** Keep what earlier packets left behind. */
  readonly warm?: boolean;
  /** UDP: the next warm probe is sent out of this one's socket. */
  readonly keep?: boolean;
}

/** What `iptables-save -c` and `nft -j list ruleset` print; empty where there is no such table. */
export type CounterText = readonly [iptables: string, nft: string];

export interface ProbeAnswer {
  /**
   * `ok`, `timeout`, `stuck` (connected, but its data was not acknowledged), or the errno that the
   * client's socket saw.
   */
  readonly outcome: string;
  readonly frames: Readonly<Record<string, readonly RawFrame[]>>;
  /** What `conntrack -L -o extended` prints, by namespace. */
  readonly conntrack: Readonly<Record<string, string>>;
  /** Who was at the other end of each connection and datagram that a listener took. */
  readonly callers: readonly (readonly [ns: string, ip: string, port: number])[];
  /** Rules with their counters before and after, by namespace. */
  readonly counters: Readonly<Record<string, readonly [before: CounterText, after: CounterText]>>;
  /** IPv4 packets that any kernel code on this machine dropped meanwhile; null: cannot be had here. */
  readonly drops: readonly Drop[] | null;
  /** Frames that a full ring lost. */
  readonly lost: number;
  /** False: frames still flowed when the limit was reached. */
  readonly silent: boolean;
}

/** One of many connections, or one datagram that wants an answer. */
export interface CallRequest {
  readonly ns: string;
  readonly protocol: 'tcp' | 'udp';
  readonly dst: string;
  readonly dport: number;
}

interface Operations {
  make: { ask: { names: readonly string[] }; answer: null };
  sysctl: {
    ask: { values: Readonly<Record<string, readonly (readonly [path: string, value: string])[]>> };
    /** By namespace: paths that could not be written, and why. */
    answer: Readonly<Record<string, readonly (readonly [path: string, why: string])[]>>;
  };
  /** Makes counters that rules name, by namespace. */
  account: {
    ask: { counters: Readonly<Record<string, readonly string[]>> };
    answer: null;
  };
  run: { ask: { jobs: readonly Job[] }; answer: readonly JobResult[] };
  /** Commands that run beside probes, once each has written `ready` to standard error. */
  spawn: { ask: { jobs: readonly Job[]; ready: string }; answer: null };
  /** Ends them: the standard output of each in base64. */
  reap: { ask: Readonly<Record<never, never>>; answer: readonly string[] };
  /** Answers why the kernel's drop reasons cannot be had here, or null where they can. */
  capture: {
    ask: {
      names: readonly string[];
      /** Those with connection tracking, with rules of iptables, with tables of nft. */
      tracked: readonly string[];
      ruled: readonly string[];
      nft: readonly string[];
      /** By namespace: what empties the sets that rules of nft add to. */
      dynamic: Readonly<Record<string, string>>;
    };
    answer: string | null;
  };
  cold: { ask: Readonly<Record<never, never>>; answer: null };
  probe: { ask: ProbeRequest; answer: ProbeAnswer };
  /** Listeners that stay until the agent ends, for `call`. */
  attend: { ask: { listeners: readonly ListenerRequest[] }; answer: null };
  /**
   * Many at once, best sorted by namespace: `ok`, `timeout` or an errno each. Over after `quiet`
   * seconds in which nobody heard anything, or after `limit` seconds.
   */
  call: {
    ask: { calls: readonly CallRequest[]; quiet: number; limit: number };
    answer: readonly string[];
  };
  /** What connection tracking knows is gone; neighbours and all else stay. */
  forget: { ask: Readonly<Record<never, never>>; answer: null };
}

export interface Agent {
  /** Rejects with the agent's own words when the operation fails or the agent is gone. */
  readonly ask: <Op extends keyof Operations>(
    op: Op,
    request: Operations[Op]['ask'],
  ) => Promise<Operations[Op]['answer']>;
  /** Ends the agent; the kernel removes every namespace with it. */
  readonly stop: () => Promise<void>;
}

/** Root: a private network and mount table. Anybody else: a user namespace of their own around it. */
const PRIVATE = ['-nm', '--propagation', 'private'];
const ROOTLESS = ['-Ucnm', '--keep-caps', '--propagation', 'private'];

const works = (flags: readonly string[]): boolean =>
  spawnSync('unshare', [...flags, 'true'], { stdio: 'ignore' }).status === 0;

/** Whether the private copies exist that this machine allows: as root, and as anybody. */
export const privileges = (): { readonly root: boolean; readonly rootless: boolean } => ({
  root: works(PRIVATE),
  rootless: works(ROOTLESS),
});

const SCRIPT = new URL('./agent.py', import.meta.url).pathname;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

const attend = (child: ChildProcessWithoutNullStreams): Agent => {
  const queue: Waiting[] = [];
  let rest = '';
  let complaints = '';
  const fail = (why: string): void => {
    for (const waiting of queue.splice(0)) waiting.reject(new Error(`lab agent: ${why}`));
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const answer = JSON.parse(line) as { ok?: unknown; error?: string };
      const waiting = queue.shift();
      if (answer.error === undefined) waiting?.resolve(answer.ok);
      else waiting?.reject(new Error(`lab agent: ${answer.error}`));
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  child.on('error', (error) => fail(error.message));
  child.on('close', (code) => fail(`ended with ${code}\n${complaints}`));
  child.stdin.on('error', () => undefined);
  return {
    ask: (op, request) =>
      new Promise((resolve, reject) => {
        queue.push({ resolve: (answer) => resolve(answer as never), reject });
        child.stdin.write(`${JSON.stringify({ op, ...request })}\n`);
      }),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) resolve();
        else {
          child.on('close', () => resolve());
          child.stdin.end();
        }
      }),
  };
};

/**
 * Starts an agent in a private copy of the network.
 * @param as what `privilege()` answered, never `none`
 */
export const startAgent = (as: 'root' | 'rootless'): Agent =>
  attend(spawn('unshare', [...(as === 'root' ? PRIVATE : ROOTLESS), 'python3', SCRIPT]));
