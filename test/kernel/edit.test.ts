/**
 * The same words, typed at a real kernel and applied to a World: both refuse alike, and afterwards
 * both hold the same devices, addresses, routes, rules, neighbours, forwarding rows and settings, and
 * print them alike.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ruleset } from '../../src/kernel/netfilter/ruleset.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import type { NetnsId, World } from '../../src/kernel/world.ts';
import type { Job, JobResult } from '../../src/lab/agent.ts';
import { buildLab, type Lab } from '../../src/lab/build.ts';
import { differences, readBack } from '../../src/lab/verify.ts';
import { applyCommand } from '../../src/userland/edit/apply-command.ts';
import { commandWords } from '../../src/userland/edit/words.ts';
import { iptablesSave } from '../../src/userland/iptables/print.ts';
import {
  bridgeFdb,
  bridgeLink,
  ipAddr,
  ipLink,
  ipNeigh,
  ipRoute,
  ipRule,
  sysctl,
} from '../../src/userland/print/show.ts';
import { NODE, POD, SCRIPT } from '../userland/edit/script.ts';
import { cluster, worldOf } from './hand-made.ts';
import { missing } from './requirements.ts';

const lacking = missing(['ip', 'bridge', 'iptables', 'nft', 'unshare', 'python3']);

/** The tables that `ip route show table all` puts side by side, and everything else that is printed. */
const SETTINGS = [
  'net.ipv4.ip_forward',
  'net.ipv4.conf.all.rp_filter',
  'net.ipv4.conf.default.rp_filter',
  'net.ipv4.conf.cni0.forwarding',
  'net.ipv4.conf.cni0.rp_filter',
  'net.ipv4.conf.eth0.forwarding',
  'net.ipv4.conf.eth0.rp_filter',
  'net.ipv4.conf.flannel/1.rp_filter',
  'net.ipv4.conf.flannel/1.accept_local',
  'net.ipv4.ip_local_port_range',
];

/** What differs for a reason: who queues, and how the lab calls namespaces and its wires. */
const plain = (line: string): string =>
  line
    .trimEnd()
    .replace(/ qdisc \w+/, '')
    .replace(/ link-netns(?:id)? \S+/, '')
    .replace(/^(\d+: eth0)@\S+:/, '$1:')
    .replace('LOWERLAYERDOWN', 'DOWN');

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(plain);

/** The hooks and chains that are registered, which iptables-save does not tell from those that are not. */
const hooksOf = ({ tables }: Ruleset): string[] =>
  tables.flatMap(({ name, chains }) => [
    `table ip ${name} {`,
    ...chains.map((chain) => `\tchain ${chain.name} {`),
  ]);

const isGroup = (line: string): boolean => Number.parseInt(line.slice(0, 2), 16) % 2 === 1;

/** What tools print, by the command that prints it; unordered lists are sorted on both sides. */
const PRINTED: Readonly<
  Record<string, { argv: string[]; ours: (world: World, id: NetnsId) => string[]; sorted?: true }>
> = {
  'ip addr': { argv: ['ip', 'addr'], ours: (world, id) => ipAddr(world, netnsOf(world, id)) },
  'ip link': { argv: ['ip', 'link'], ours: (world, id) => ipLink(world, netnsOf(world, id)) },
  'ip route': {
    argv: ['ip', '-4', 'route'],
    ours: (world, id) => ipRoute(world, netnsOf(world, id)),
  },
  'ip route show table all': {
    argv: ['ip', '-4', 'route', 'show', 'table', 'all'],
    ours: (world, id) => ipRoute(world, netnsOf(world, id), 'all'),
  },
  'ip route show table 100': {
    argv: ['ip', '-4', 'route', 'show', 'table', '100'],
    ours: (world, id) => ipRoute(world, netnsOf(world, id), 100),
  },
  'ip rule': { argv: ['ip', '-4', 'rule'], ours: (world, id) => ipRule(netnsOf(world, id)) },
  'ip neigh': {
    argv: ['ip', '-4', 'neigh'],
    ours: (world, id) => ipNeigh(world, netnsOf(world, id)),
    sorted: true,
  },
  'nft list ruleset': {
    argv: ['nft', 'list', 'ruleset'],
    ours: (world, id) => hooksOf(netnsOf(world, id).netfilter),
  },
  'iptables-save': {
    argv: ['iptables-save'],
    ours: (world, id) => iptablesSave(netnsOf(world, id).netfilter),
  },
  'bridge -d link': {
    argv: ['bridge', '-d', 'link'],
    ours: (world, id) => bridgeLink(world, netnsOf(world, id), true),
  },
  'bridge fdb': {
    argv: ['bridge', 'fdb'],
    ours: (world, id) => bridgeFdb(world, netnsOf(world, id)),
    sorted: true,
  },
};

/** Ports count only where there is a bridge; comments carry the time; rules are iptables-save's. */
const isComparable = (name: string, line: string): boolean => {
  if (name === 'bridge fdb') return !isGroup(line);
  if (name === 'nft list ruleset') return /^\s*(?:table|chain) .*\{$/.test(line);
  return !line.startsWith('#');
};

/** Commands between two looks at everything that is printed. */
const LOOK_EVERY = 7;

const firstLine = (text: string): string => text.trim().split('\n')[0]?.trim() ?? '';

describe.skipIf(lacking.length > 0)(
  `an operator's commands${lacking.length ? ` (lacks ${lacking})` : ''}`,
  () => {
    let lab: Lab;
    let world: World;
    const nameOf = (id: NetnsId): string => lab.plan.names.get(id) ?? '';

    const run = async (jobs: readonly Job[]): Promise<readonly JobResult[]> =>
      await lab.agent.ask('run', { jobs });

    /** Waits for what the kernel does a moment later: the state of a link that lost its carrier. */
    const settled = async (problems: () => Promise<string[]>): Promise<string[]> => {
      let found = await problems();
      for (let tries = 0; tries < 30 && found.length > 0; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        found = await problems();
      }
      return found;
    };

    const stateProblems = async (): Promise<string[]> => {
      const touched = [NODE, POD];
      const results = await run(touched.flatMap((id) => readBack(nameOf(id))));
      return touched.flatMap((id, n) =>
        differences(world, netnsOf(world, id), [
          results[2 * n]?.[1] ?? '',
          results[2 * n + 1]?.[1] ?? '',
        ]),
      );
    };

    const printed = async (
      id: NetnsId,
    ): Promise<readonly (readonly [string, string[], string[]])[]> => {
      const all = Object.entries(PRINTED);
      const results = await run(all.map(([, { argv }]) => ({ ns: nameOf(id), argv })));
      return all.map(([name, { ours, sorted }], n) => {
        const theirs = linesOf(results[n]?.[1] ?? '').filter((line) => isComparable(name, line));
        const mine = ours(world, id).map(plain);
        return [name, sorted ? mine.toSorted() : mine, sorted ? theirs.toSorted() : theirs];
      });
    };

    /** What is printed differently, and the command after which it is. */
    const printProblems = async (text: string): Promise<string[]> => {
      const problems: string[] = [];
      for (const id of [NODE, POD])
        for (const [name, mine, theirs] of await printed(id))
          if (mine.join('\n') !== theirs.join('\n'))
            problems.push(`after ${text}: ${id}: ${name}`, ...mine, 'but there', ...theirs);
      return problems;
    };

    beforeAll(async () => {
      world = worldOf(cluster({ nodes: 2, pods: 2, join: 'vxlan' }));
      lab = await buildLab(world, 'root');
    });
    afterAll(async () => {
      await lab?.stop();
    });

    it('do to a World what they do to a kernel, step by step', async () => {
      const problems: string[] = [];
      for (const [n, [id, line]] of SCRIPT.entries()) {
        const refused = line.startsWith('! ');
        const text = refused ? line.slice(2) : line;
        const [result] = await run([{ ns: nameOf(id), argv: commandWords(text) }]);
        const [code = -1, , err = ''] = result ?? [];
        const outcome = applyCommand(world, id, text);
        if ((code !== 0) !== refused) problems.push(`${text}: the kernel said ${code} ${err}`);
        if (outcome.ok === refused)
          problems.push(`${text}: we said ${outcome.ok ? 'yes' : outcome.message}`);
        if (!outcome.ok && refused && outcome.message !== firstLine(err))
          problems.push(`${text}: we said "${outcome.message}", the tool "${firstLine(err)}"`);
        if (outcome.ok) world = outcome.world;
        const found = await settled(stateProblems);
        problems.push(...found.map((problem) => `after ${text}: ${problem}`));
        if (n % LOOK_EVERY === 0 || text.startsWith('iptables'))
          problems.push(...(await printProblems(text)));
        if (found.length > 0) break;
      }
      expect(problems).toEqual([]);
    });

    it('leave what the tools of the node print, line by line', async () => {
      for (const id of [NODE, POD])
        for (const [name, mine, theirs] of await printed(id))
          expect([`${id}: ${name}`, ...mine]).toEqual([`${id}: ${name}`, ...theirs]);
    });

    it('leave the settings that the kernel reads', async () => {
      const [result] = await run([{ ns: nameOf(NODE), argv: ['sysctl', ...SETTINGS] }]);
      const mine = SETTINGS.map((key) => sysctl(netnsOf(world, NODE), key));
      expect(mine).toEqual(linesOf(result?.[1] ?? ''));
    });
  },
);
