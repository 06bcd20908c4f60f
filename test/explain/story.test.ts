import { describe, expect, it } from 'vitest';
import { type Answer, ask } from '../../src/check/ask.ts';
import { tell } from '../../src/cli/tell.ts';
import { gistOf } from '../../src/explain/gist.ts';
import { UNICODE } from '../../src/explain/quote.ts';
import { openScenario } from '../../src/scenario/open.ts';
import type { Hop, TraceFacts } from '../../src/trace/trace.ts';
import { crossNode, dropped, onePod } from '../render/facts.ts';
import { telling, told } from '../render/telling.ts';
import { traceBroken } from './broken.ts';

const tracedOf = (answer: Answer) => {
  if (!answer.ok) throw new Error('cannot be asked');
  return answer;
};

const withoutStep = (facts: TraceFacts, kind: string): TraceFacts => ({
  ...facts,
  legs: facts.legs.map((leg) => ({
    ...leg,
    hops: leg.hops.map((hop) => ({ ...hop, steps: hop.steps.filter((s) => s.kind !== kind) })),
  })),
});

const withHops = (facts: TraceFacts, pick: (hop: Hop) => boolean): TraceFacts => ({
  ...facts,
  legs: facts.legs.map((leg) => ({ ...leg, hops: leg.hops.filter(pick) })),
});

describe('the header', () => {
  it('names the ends, the flow and the network', () => {
    expect(told(crossNode()).header).toMatchObject({
      from: 'pod-a',
      to: 'pod-b',
      flow: 'TCP 10.244.1.2:40000 → 10.244.2.2:8080',
      network: 'flannel vxlan',
    });
  });

  it('says which port was chosen when none was asked for, and does not say so twice', () => {
    const { header, assumed, assumptions } = told(crossNode());
    expect(header.notes[0]).toMatch(/^No port was asked for: 8080/);
    expect(assumed).toEqual([expect.stringMatching(/listens on 8080/)]);
    expect(assumptions).toHaveLength(2);
  });

  it('needs no packet', () => {
    const { cause: _, ...facts } = crossNode();
    const { ip: __, ...to } = facts.probe.to;
    const { flow } = told({
      ...facts,
      probe: { ...facts.probe, to },
      disposition: 'dropped',
      symptom: 'timeout',
      cause: { code: 'DST_NOT_RUNNING' },
      legs: [],
    }).header;
    expect(flow).toBe('TCP 8080');
  });
});

describe('the story in one sentence', () => {
  it('tells the basic stories apart', () => {
    const facts = crossNode();
    expect(gistOf(onePod(), telling.machine)).toBe('loopback');
    expect(gistOf(facts, telling.machine)).toBe('tunnel');
    expect(gistOf(withoutStep(facts, 'encapsulate'), telling.machine)).toBe('routed');
    const oneNode = withHops(facts, ({ node }) => node === 'node-1');
    const routedHere = withoutStep(oneNode, 'encapsulate');
    expect(gistOf(routedHere, telling.machine)).toBe('node');
    expect(gistOf(withoutStep(routedHere, 'forward'), telling.machine)).toBe('veth');
    expect(gistOf(dropped(), telling.machine)).toBeUndefined();
  });
});

describe('a node that is called gw', () => {
  it('is a node all the same', async () => {
    const pod = (name: string, node: string) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: { nodeName: node, containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] },
      });
    const text = [pod('a', 'gw'), pod('b', 'external')].join('\n');
    const opened = await openScenario([{ file: 'gw.json', text }]);
    if (!opened.ok) throw new Error('does not open');
    const { facts } = tracedOf(ask(opened.scenario, { from: 'a', to: 'b' }));
    const story = tell(facts, 'default', opened.scenario, UNICODE);
    expect(story.header.notes.at(-1)).toMatch(/^Two nodes:/);
    const hosts = story.legs[0]?.hops.filter(({ netns }) => netns === 'host') ?? [];
    expect(hosts.map(({ about }) => about)).toEqual(
      Array<string>(2).fill("the node's own network namespace"),
    );
  });
});

describe('places', () => {
  it('introduce who holds a namespace and who joined it', () => {
    const [pod, node] = told(crossNode()).legs[0]?.hops ?? [];
    expect(pod?.about).toBe('network namespace held by its pause container, joined by app');
    expect(node?.about).toBe("the node's own network namespace");
    expect(told(onePod()).legs[0]?.hops[0]?.about).toMatch(/shared by app and cache$/);
  });

  it('explain the one namespace of a Pod where its containers talk, and only there', () => {
    expect(told(onePod()).legs[0]?.hops[0]?.note).toContain('docker run --net=container:ID');
    expect(
      told(crossNode())
        .legs.flatMap(({ hops }) => hops)
        .map(({ note }) => note),
    ).toEqual(expect.not.arrayContaining([expect.any(String)]));
  });
});

describe('steps', () => {
  const steps = (depth: 'default' | 'verbose') =>
    told(crossNode(), depth).legs.flatMap(({ hops }) => hops.flatMap((hop) => hop.steps));

  it('say who answered ARP, and -v how question and answer travelled', () => {
    const step = steps('verbose').find(({ kind }) => kind === 'neighbour');
    expect(step).toMatchObject({
      text: '10.244.1.1 is at 9e:a4:1d:00:01:01',
      aside: 'ARP: cni0 answered',
      facts: [
        { name: 'asked', value: 'who has 10.244.1.1? tell 10.244.1.2' },
        { name: '', value: 'default/pod-a: eth0 ──▶ node-1: veth1f3a9c2e ──▶ cni0' },
        { name: 'answered', value: '10.244.1.1 is at 9e:a4:1d:00:01:01' },
        { name: '', value: 'node-1: cni0 ──▶ veth1f3a9c2e ──▶ default/pod-a: eth0' },
      ],
      command: {
        prompt: '$',
        text: 'kubectl exec -n default pod-a -- ip neigh show 10.244.1.1 dev eth0',
      },
    });
  });

  it('give the near miss, who programmed the row, and the command that shows it', () => {
    expect(steps('verbose').filter(({ kind }) => kind === 'route')[1]).toMatchObject({
      text: '10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
      facts: [
        {
          name: 'near miss',
          value: 'default via 192.168.10.1 dev eth0  (shorter prefix)',
        },
        {
          name: 'by',
          value:
            "cni: the route to another node's Pods, Node node-2 spec.podCIDR, two-nodes.yaml:12:7",
        },
      ],
      command: {
        prompt: 'node-1#',
        text: 'ip route get 10.244.2.2 from 10.244.1.2 iif cni0',
      },
    });
  });

  it.each<[string, string, string]>([
    [
      'policy-drop',
      '-A FORWARD -p tcp -m multiport --dports 80,443 -j ACCEPT',
      '-A FORWARD -p tcp -m multiport --dports 80,443 -j ACCEPT  (rule 6 asks for --dports 80,443; its port is 8080)',
    ],
    [
      'policy-drop',
      '-A FORWARD ! -i cni0 -j ACCEPT',
      '-A FORWARD ! -i cni0 -j ACCEPT  (rule 6 asks for ! -i cni0; it came in on cni0)',
    ],
    [
      'passes',
      '-t nat -A POSTROUTING -o eth0 -j MASQUERADE',
      '-t nat -A POSTROUTING -o eth0 -j MASQUERADE  (rule 3 asks for -o eth0; it goes out on flannel.1)',
    ],
  ])(
    'say of a firewall which rule nearly decided, and why it did not: %s',
    async (action, line, value) => {
      const { story } = await traceBroken([
        ...(action === 'policy-drop'
          ? ['node/node-1: iptables -P FORWARD DROP', 'node/node-1: iptables -F FLANNEL-FWD']
          : []),
        `node/node-1: iptables ${line}`,
      ]);
      const facts = story.legs
        .flatMap(({ hops }) => hops.flatMap((hop) => hop.steps))
        .filter(({ kind }) => kind === 'rule' || kind === 'hook')
        .flatMap((step) => step.facts.filter(({ name }) => name === 'near miss'));
      expect(facts.map((fact) => fact.value)).toContain(value);
    },
  );

  it('name the device on the far end of a wire at every depth', () => {
    for (const depth of ['default', 'verbose'] as const) {
      const step = steps(depth).find(({ n }) => n === 13);
      expect(step?.text).toBe('══▶ wire ══▶ eth0 of node-2');
    }
  });
});

describe('the way back', () => {
  it('is compared with the way there', () => {
    const facts = crossNode();
    // The fixture's answer leaves devices out.
    expect(told(facts).legs[1]?.brief).toMatchObject({
      numbers: 'steps 22 to 27',
      way: 'another way',
    });
    const [request] = facts.legs;
    if (request === undefined) throw new Error('no request');
    const mirrored = {
      ...request,
      direction: 'reply' as const,
      hops: [...request.hops].reverse().map((hop) => ({ ...hop, steps: [...hop.steps].reverse() })),
    };
    expect(told({ ...facts, legs: [request, mirrored] }).legs[1]?.brief.way).toBe('the same way');
  });
});

describe('the cause', () => {
  it('names what decided, the fix and the check, where they are to be typed', () => {
    const on = { node: 'node-2', netns: 'host' };
    expect(told(dropped()).cause).toEqual({
      code: 'FIREWALL_DROP',
      step: 18,
      message: 'filter FORWARD rule 1 on node-2 drops the packet.',
      fix: { said: { prompt: 'node-2#', text: 'iptables -t filter -D FORWARD 1' }, yaml: [] },
      remedy: {
        fix: { kind: 'commands', on, commands: ['iptables -t filter -D FORWARD 1'] },
        check: { on, commands: ['iptables -t filter -vnL FORWARD --line-numbers'] },
      },
      check: { prompt: 'node-2#', text: 'iptables -t filter -vnL FORWARD --line-numbers' },
    });
  });
});
