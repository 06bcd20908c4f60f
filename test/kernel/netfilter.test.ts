/**
 * The kernel decides: random rulesets are loaded for real, real flows are sent through them, and
 * every rule's counter and every connection must be what the model says.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ruleset } from '../../src/kernel/netfilter/ruleset.ts';
import { iptablesRestoreInput, iptablesSave } from '../../src/userland/iptables/print.ts';
import { openPrivateNetwork, type PrivateNetwork } from './private-network.ts';
import {
  BRIDGED_WORDS,
  chooserFrom,
  ROUTED_WORDS,
  randomCommands,
  recentCommands,
  rulesetOf,
} from './random-rules.ts';
import { missing } from './requirements.ts';
import {
  BRIDGED_WAYS,
  type Counters,
  type Lab,
  modelEntry,
  nextNumber,
  openLab,
  ROUTED_WAYS,
  randomFlow,
  SETUP,
  sameConnections,
  sorted,
  TOOLS,
  trackedIn,
} from './router-lab.ts';
import {
  BRIDGED,
  type Counter,
  type Flow,
  OPEN_PORT,
  ROUTED,
  type RouterModel,
  routerModel,
} from './router-model.ts';
import { ownSeeds, seedsOf } from './seeds.ts';

const lacking = missing(TOOLS);

/** `table chain number` → counter, from iptables-save -c. */
const countersFrom = (saved: string): Counters => {
  const counters = new Map<string, Counter>();
  const numbers = new Map<string, number>();
  let table = '';
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    const [, packets, bytes, chain] = /^\[(\d+):(\d+)\] -A (\S+)/.exec(line) ?? [];
    if (chain === undefined) continue;
    const number = (numbers.get(`${table} ${chain}`) ?? 0) + 1;
    numbers.set(`${table} ${chain}`, number);
    if (packets !== '0')
      counters.set(`${table} ${chain} ${number}`, {
        packets: Number(packets),
        bytes: Number(bytes),
      });
  }
  return counters;
};

const withoutComments = (saved: string): string[] =>
  saved.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

const title = lacking.length > 0 ? ` (missing: ${lacking.join(', ')})` : '';

/** Loads the ruleset and compares how it is printed back. */
const load = async ({ router }: Lab, ruleset: Ruleset): Promise<void> => {
  const input = iptablesRestoreInput(ruleset).join('\n');
  await router.run('nft flush ruleset; iptables-restore; conntrack -F 2>/dev/null || true', input);
  expect(withoutComments(await router.run('iptables-save'))).toEqual(iptablesSave(ruleset));
};

/** How often a packet met a rule that the kernel counted. */
let decisions = 0;

/** What the kernel has counted and tracked, against the model. */
const compare = async (
  { router }: Lab,
  model: RouterModel,
  context: readonly string[],
): Promise<void> => {
  const counted = countersFrom(await router.run('iptables-save -c'));
  for (const { packets } of counted.values()) decisions += packets;
  const tracked = await trackedIn(router);
  expect(sorted(counted), context.join('\n')).toEqual(sorted(model.counters));
  expect(sameConnections(tracked, model.conntrack.map(modelEntry)), context.join('\n')).toEqual([]);
};

/** All flows at once; none has to do with another. */
const check = async (
  lab: Lab,
  commands: readonly string[],
  flows: readonly Flow[],
): Promise<void> => {
  const ruleset = rulesetOf(commands);
  await load(lab, ruleset);
  const model = routerModel(ruleset, lab.net);
  const expected = flows.map((flow) => model.send(flow));
  const results = await Promise.all(
    flows.map((flow, at) => lab.send(flow, expected[at] ?? 'silent')),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  const context = [...iptablesSave(ruleset), ...flows.map((flow) => JSON.stringify(flow))];
  await compare(lab, model, context);
  expect(results, context.join('\n')).toEqual(expected);
};

/** One flow after the other: what the first one left behind decides about the next. */
const inTurn = async (
  lab: Lab,
  commands: readonly string[],
  flows: readonly Omit<Flow, 'n'>[],
): Promise<RouterModel> => {
  const ruleset = rulesetOf(commands);
  await load(lab, ruleset);
  const model = routerModel(ruleset, lab.net);
  for (const given of flows) {
    const flow = { n: nextNumber(), ...given };
    const expected = model.send(flow);
    expect(await lab.send(flow, expected), JSON.stringify(flow)).toBe(expected);
  }
  await compare(lab, model, [...commands, ...flows.map((flow) => JSON.stringify(flow))]);
  return model;
};

const FLOWS = 14;

describe.skipIf(lacking.length > 0)(`netfilter against this kernel${title}`, () => {
  let network: PrivateNetwork;
  let routed: Lab;
  let bridged: Lab;

  beforeAll(async () => {
    network = await openPrivateNetwork();
    await network.root.run(SETUP);
    routed = await openLab(network, ROUTED, {
      client: 'client',
      router: 'router',
      server: 'server',
    });
    bridged = await openLab(network, BRIDGED, {
      client: 'left',
      router: 'bridge',
      server: 'right',
    });
  });

  afterAll(async () => {
    await network?.close();
  });

  it.each(seedsOf(40))('routed, random ruleset %i', async (seed) => {
    const choose = chooserFrom(seed);
    const flows = Array.from({ length: FLOWS }, () => randomFlow(choose, ROUTED_WAYS));
    await check(routed, randomCommands(choose, ROUTED_WORDS), flows);
  });

  it.each(seedsOf(20))('bridged, random ruleset %i', async (seed) => {
    const choose = chooserFrom(seed);
    const flows = Array.from({ length: FLOWS }, () => randomFlow(choose, BRIDGED_WAYS));
    await check(bridged, randomCommands(choose, BRIDGED_WORDS), flows);
  });

  it.each(seedsOf(15))('lists of addresses that rules saw, random ruleset %i', async (seed) => {
    const choose = chooserFrom(seed);
    const commands = recentCommands(choose, ROUTED_WORDS);
    const flows = Array.from({ length: 10 }, () => randomFlow(choose, ROUTED_WAYS));
    await inTurn(
      routed,
      commands,
      flows.map(({ n: _, ...flow }) => flow),
    );
  });

  const tcp = { from: 'client', protocol: 'tcp', dport: OPEN_PORT, size: 0 } as const;
  const udp = { from: 'client', protocol: 'udp', dport: OPEN_PORT, size: 20 } as const;
  const echo = { from: 'client', protocol: 'icmp', dport: 0, size: 56 } as const;
  const MASQUERADE = '-t nat -A POSTROUTING -o tos -j MASQUERADE';
  const TWO_CLIENTS = ['10.1.0.2', '10.1.0.3'];

  it('masquerades: a port that is taken moves within its class, and keeps what it got', async () => {
    const ports = [5000, 700, 300].flatMap((sport) => TWO_CLIENTS.map((src) => ({ src, sport })));
    const model = await inTurn(
      routed,
      [MASQUERADE],
      [
        ...ports.map((from) => ({ ...udp, ...from, dst: '10.2.0.2' })),
        ...ports.map((from) => ({ ...tcp, ...from, dst: '10.2.0.2' })),
        { ...udp, src: '10.1.0.3', sport: 5000, dst: '10.2.0.3' },
        ...TWO_CLIENTS.map((src) => ({ ...echo, src, sport: 77, dst: '10.2.0.2' })),
      ],
    );
    const moved = model.conntrack.flatMap(({ original, reply: { dport } }) =>
      original.protocol === 'udp' && typeof dport === 'object' ? [dport.range] : [],
    );
    expect(moved).toEqual([
      [1024, 65535],
      [600, 1023],
      [1, 511],
      [1024, 65535],
    ]);
    const tracked = await routed.router.run(
      'conntrack -L -o extended -s 10.1.0.3 -p udp 2>/dev/null',
    );
    const [first, second] = [...tracked.matchAll(/dst=10.2.0.[23] sport=5000 .* dport=(\d+)/g)];
    expect(first?.[1]).toBe(second?.[1]);
    expect(Number(first?.[1])).not.toBe(5000);
  });

  it('masquerades at random', async () => {
    await inTurn(
      routed,
      [`${MASQUERADE} --random-fully`],
      [
        { ...udp, sport: 5001, dst: '10.2.0.2' },
        { ...tcp, sport: 5001, dst: '10.2.0.2' },
        { ...tcp, sport: 5001, dport: 81, dst: '10.2.0.2' },
        { ...udp, sport: 5001, dport: 81, dst: '10.2.0.3' },
        { ...echo, sport: 99, dst: '10.2.0.2' },
        { ...tcp, sport: 500, dst: '10.2.0.3' },
      ],
    );
  });

  it('moves the source port when two translated destinations are one', async () => {
    const dnat = '-t nat -A PREROUTING -d 10.9.9.0/24 -p udp -j DNAT --to-destination 10.2.0.2:80';
    await inTurn(
      routed,
      [dnat],
      ['10.9.9.9', '10.9.9.8'].map((dst) => ({ ...udp, sport: 5002, dst })),
    );
  });

  it('drops what would have to share the one port of SNAT', async () => {
    const snat = '-t nat -A POSTROUTING -p udp -o tos -j SNAT --to-source 10.2.0.9:6000';
    await inTurn(
      routed,
      [snat],
      [5003, 5004].map((sport) => ({ ...udp, sport, dst: '10.2.0.2' })),
    );
  });

  it('forgets a refused connection, and lets an aborted one start again', async () => {
    await inTurn(
      routed,
      ['-A FORWARD -m conntrack --ctstate NEW', '-A FORWARD -m conntrack --ctstate ESTABLISHED'],
      [
        { ...tcp, sport: 5005, dport: 81, dst: '10.2.0.2' },
        { ...tcp, sport: 5005, dport: 81, dst: '10.2.0.2' },
        { ...tcp, sport: 5006, dst: '10.2.0.2' },
        { ...tcp, sport: 5006, dst: '10.2.0.2' },
        { ...echo, sport: 5, dst: '10.2.0.2' },
        { ...echo, sport: 5, dst: '10.2.0.2' },
        { ...echo, sport: 5, dst: '10.2.0.2', src: '10.1.0.3' },
      ],
    );
  });

  it('translates the errors of routers on the way, back to who sent', async () => {
    const count = '-m conntrack --ctstate RELATED';
    await inTurn(
      routed,
      [
        MASQUERADE,
        '-t nat -A PREROUTING -d 10.9.9.9 -j DNAT --to-destination 10.2.0.2',
        `-A OUTPUT ${count}`,
        `-A FORWARD ${count}`,
        `-t mangle -A POSTROUTING -s 10.9.9.9 ${count}`,
        `-t mangle -A POSTROUTING -d 10.1.0.2 -p icmp ${count}`,
      ],
      [
        { ...echo, sport: 6, dst: '10.9.9.9', ttl: 1 },
        { ...udp, sport: 5007, dport: 81, dst: '10.9.9.9' },
        { ...udp, sport: 5008, dport: 81, dst: '10.2.0.3' },
      ],
    );
  });

  it('does not ask nat chains while nothing needs conntrack', async () => {
    const model = await inTurn(
      routed,
      ['-t nat -A PREROUTING -j ACCEPT', '-A FORWARD -j ACCEPT'],
      [{ ...udp, sport: 5009, dst: '10.2.0.2' }],
    );
    expect([...model.counters.keys()]).toEqual(['filter FORWARD 1']);
    expect(model.conntrack).toEqual([]);
  });

  it('tracks where a rule needs it, used or not', async () => {
    const flow = { ...udp, dst: '10.2.0.2', sport: 5010 };
    const rules = [
      '-A lonely -m conntrack --ctstate NEW',
      '-A lonely -m state --state NEW',
      '-A lonely -m connmark --mark 0x1',
      '-A lonely -m connlimit --connlimit-above 9 --connlimit-mask 32 --connlimit-saddr -j DROP',
      '-A lonely -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff',
    ];
    for (const rule of rules)
      expect((await inTurn(routed, ['-N lonely', rule], [flow])).conntrack).toHaveLength(1);
    const idle = [
      '-j REJECT',
      '-m addrtype --dst-type LOCAL',
      '-m physdev --physdev-is-in',
      '-p 77',
    ];
    for (const rule of idle)
      expect((await inTurn(routed, ['-N lonely', `-A lonely ${rule}`], [flow])).conntrack).toEqual(
        [],
      );
  });

  it('knows ports of a bridge where the packet has one', async () => {
    const every = ['--physdev-in pc', '! --physdev-in pc', '--physdev-in zz', '! --physdev-in zz'];
    const ports = [
      '--physdev-out ps',
      '! --physdev-out ps',
      '--physdev-is-out',
      '! --physdev-is-out',
    ];
    const isBridged = ['--physdev-is-bridged', '! --physdev-is-bridged', '! --physdev-is-in'];
    const commands = ['PREROUTING', 'INPUT', 'FORWARD', 'POSTROUTING'].flatMap((chain) =>
      [...every, ...ports, ...isBridged].map(
        (match) => `-t mangle -A ${chain} -m physdev ${match}`,
      ),
    );
    await inTurn(
      bridged,
      [...commands, ...every.map((match) => `-t mangle -A OUTPUT -m physdev ${match}`)],
      [
        { ...udp, sport: 5011, dst: '10.3.0.3' },
        { ...udp, sport: 5012, dst: '10.3.0.1' },
        { ...udp, sport: 5013, dst: '10.3.0.2', from: 'router' },
      ],
    );
  });

  it.skipIf(ownSeeds)('has met rules often enough to tell', () => {
    expect(decisions).toBeGreaterThan(2000);
  });
});
