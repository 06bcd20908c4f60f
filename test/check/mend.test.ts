import { describe, expect, it } from 'vitest';
import { ask, type Question } from '../../src/check/ask.ts';
import { type Mended, mend } from '../../src/check/mend.ts';
import {
  type Input,
  type OpenedScenario,
  type OpenOptions,
  openScenario,
} from '../../src/scenario/open.ts';
import { CAUSE_CODES } from '../../src/trace/codes.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';
import { openFile, scenarioFiles } from '../scenarios.ts';

const open = async (input: Input, options: OpenOptions = {}): Promise<OpenedScenario> => {
  const result = await openScenario([input], { ...options, keep: true });
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  return result.scenario;
};

const trace = (scenario: OpenedScenario, question: Question): TraceFacts => {
  const answer = ask(scenario, question);
  if (!answer.ok) throw new Error(answer.diagnostics.map(({ message }) => message).join('\n'));
  return answer.facts;
};

const mended = async (
  input: Input,
  question: Question,
  options?: OpenOptions,
): Promise<Mended & { readonly facts: TraceFacts }> => {
  const scenario = await open(input, options);
  const facts = trace(scenario, question);
  return { ...(await mend({ scenario, facts }, question, ask)), facts };
};

/** Questions of the scenarios that no command and no patch mends, and why. */
const ADVICE_ONLY: Readonly<Record<string, string>> = {
  'basics/one-pod 4': 'another container of the Pod has the port',
  'basics/port-clash 2': 'another container of the Pod has the port',
  'basics/port-clash 3': 'another container of the Pod has the port',
  'nodes/host-port-clash 2': 'another Pod on the network of the node has the port',
  'nodes/host-port-clash 3': 'a daemon of the node has the port',
  'dns/headless 7': 'there is no such Pod: the name is wrong',
  'dns/no-name-server 1': 'whether CoreDNS is ready is up to CoreDNS',
  'dns/outside 4': 'nobody knows what there is outside',
  'dns/outside 5': 'nobody knows what the name servers of a node answer',
  'dns/outside 6': 'nobody knows what the name servers of a node answer',
  'dns/server-not-listening 1': 'who opens the port does not answer questions about names yet',
  'dns/short-names 5': 'the name lacks its namespace',
  'dns/short-names 6': 'nobody knows what the name servers of a node answer',
  'dns/wrong-namespace 1': 'the name lacks its namespace',
  'dns/wrong-namespace 2': 'there is no such namespace: the name is wrong',
  'dns/wrong-namespace 4': 'nobody knows what there is outside',
  'failures/broadcast 1': 'nobody has a broadcast address: the question is wrong',
  'failures/broadcast 2': 'nobody has a broadcast address: the question is wrong',
  'failures/broadcast 3': 'nobody has a broadcast address: the question is wrong',
  'failures/broadcast 4': 'nobody has a broadcast address: the question is wrong',
  'failures/link-missing 1': 'the plugin makes a veth pair, with a namespace that only it knows',
  'failures/not-running 1': 'a Pod that has ended is made anew by its owner',
  'failures/not-running 2': 'a Pod that fits on no node is the scheduler’s',
  'failures/unknown-address 1': 'nobody has the address: the question is wrong',
  'failures/unknown-address 2': 'nobody has the address: the question is wrong',
  'failures/unmodelled-rule 1': 'nobody knows whether anything is broken',
  'failures/veth-peer 1': 'the plugin makes a veth pair, with a namespace that only it knows',
  'policies/domain-names 1': 'nobody knows which addresses a name has',
  'policies/engine-beside-nftables 2': 'no Pod is called as the Service is',
  'policies/engine-beside-nftables 3': 'no Pod is called as the Service is',
  'policies/finished 1': 'a Pod that has ended is made anew by its owner',
  'policies/finished 2': 'a Pod that has ended is made anew by its owner',
  'services/dual-stack 2': 'nobody knows whether anything is broken',
  'services/hairpin-no-masquerade 1': 'only kube-proxy knows its rules',
  'services/host-port 2': 'a host port is on the node of its Pod only: the question is wrong',
  'services/load-balancer-proxy 1': 'nobody knows whether anything is broken',
  'services/mode-iptables 4': 'the port is wrong, or the Service: for people',
  'services/mode-iptables 5': 'nobody has the address: the question is wrong',
  'services/mode-iptables 6': 'nobody answers a ping to a Service',
  'services/mode-ipvs 5': 'a NodePort is not on this address: the question is wrong',
  'services/mode-ipvs 7': 'the port is wrong, or the Service: for people',
  'services/mode-ipvs 8': 'nobody has the address: the question is wrong',
  'services/mode-ipvs 9': 'nobody answers a ping to a Service',
  'services/mode-ipvs-no-endpoints 1': 'there is no Pod that a selector could find',
  'services/mode-ipvs-no-endpoints 2': 'there is no Pod that a selector could find',
  'services/mode-ipvs-no-endpoints 3': 'the port is wrong, or the Service: for people',
  'services/mode-nftables 4': 'the port is wrong, or the Service: for people',
  'services/mode-nftables 5': 'nobody has the address: the question is wrong',
  'services/mode-nftables 6': 'nobody answers a ping to a Service',
  'services/mode-nftables 7': 'a NodePort is not on this address: the question is wrong',
  'services/mode-nftables 8': 'a NodePort is not on this address: the question is wrong',
  'services/mode-none 3': 'who opens a node port is kube-proxy, which does not run',
  'services/not-ready 1': 'whether a Pod is ready is up to the Pod',
  'services/other-family 1': 'which family is meant is for people',
  'services/proxy-configuration 3': 'a NodePort is not on this address: the question is wrong',
  'services/proxy-configuration 4': 'a NodePort is not on this address: the question is wrong',
  'services/stale-endpoint 1': 'slices are written by controllers',
  'services/stale-endpoint 2': 'slices are written by controllers',
  'services/two-protocols 3': 'the port is wrong, or the Service: for people',
  'services/wrong-port 1': 'the port is wrong, or the Service: for people',
  'services/wrong-port 2': 'nobody answers a ping to a Service',
  'services/wrong-port 3': 'nobody has the address: the question is wrong',
  'flannel/vxlan-size 2': 'nobody knows whether anything is broken',
};

/** Mended, and still not delivered: without its faults the scenario fares no better. */
const AS_BEFORE: Readonly<Record<string, string>> = {
  'failures/pod-mtu-too-large 1': 'a sender that fragments is not modelled',
};

describe('the fixes of the scenarios', async () => {
  const failing = (
    await Promise.all(scenarioFiles.map(async (file) => ({ file, ...(await openFile(file)) })))
  ).flatMap(({ file, expectations }) =>
    expectations
      .filter(({ disposition }) => disposition !== 'delivered')
      .map((expected) => ({
        file,
        expected,
        name: `${file.replace(/^scenarios\/|\.yaml$/g, '')} ${expected.n}`,
      })),
  );
  const questionOf = ({ expected }: (typeof failing)[number]): Question => {
    const { from, to, port, protocol, size, backend } = expected;
    return { from, to, port, protocol, size, backend };
  };

  it.each(failing.filter(({ name }) => !(name in ADVICE_ONLY || name in AS_BEFORE)))(
    'mend $name',
    async (one) => {
      const { withFix, traces, facts } = await mended(one.file, questionOf(one));
      expect(withFix.rounds[0]?.for).toBe(facts.cause?.code);
      expect(withFix).toMatchObject({ mended: true });
      expect(withFix.rounds.map(({ outcome }) => outcome)).toEqual([
        ...withFix.rounds.slice(1).map(() => 'not-enough'),
        'mended',
      ]);
      expect(traces).toHaveLength(withFix.rounds.length);
      expect(traces.at(-1)?.facts.disposition).toBe('delivered');
    },
  );

  it.each(Object.keys(ADVICE_ONLY))('are advice where nothing can be tried: %s', async (name) => {
    const one = failing.find((candidate) => candidate.name === name);
    if (!one) throw new Error(`there is no such question: ${name}`);
    const { withFix } = await mended(one.file, questionOf(one));
    expect(withFix.mended).toBe(false);
    expect(withFix.rounds.at(-1)).toMatchObject({ outcome: 'advice', fix: { kind: 'advice' } });
  });

  it.each(Object.keys(AS_BEFORE))('lead as far as without the faults: %s', async (name) => {
    const one = failing.find((candidate) => candidate.name === name);
    if (!one) throw new Error(`there is no such question: ${name}`);
    const { withFix, traces } = await mended(one.file, questionOf(one));
    expect(withFix.rounds.map(({ outcome }) => outcome)).toEqual(['not-enough', 'advice']);
    const { unfaulted, ...scenario } = await open(one.file);
    const healthy = trace({ ...scenario, world: unfaulted ?? scenario.world }, questionOf(one));
    const after = traces.at(-1)?.facts;
    expect([after?.disposition, after?.cause?.code]).toEqual([
      healthy.disposition,
      healthy.cause?.code,
    ]);
  });

  it('are of every cause that there is', () => {
    const shown = new Set(failing.map(({ expected }) => expected.cause));
    expect(CAUSE_CODES.filter((code) => !shown.has(code))).toEqual([]);
  });
});

const text = (yaml: string): Input => ({ file: 'shop.yaml', text: yaml });

const CLIENT = `apiVersion: v1
kind: Pod
metadata: { name: client }
spec: { nodeName: node-1, containers: [{ name: app, image: x }] }
`;

const workload = (kind: string, spec: string): Input =>
  text(`${CLIENT}---
apiVersion: ${kind.endsWith('Job') ? 'batch' : 'apps'}/v1
kind: ${kind}
metadata: { name: web, namespace: shop }
spec: ${spec}
`);

const POD_SPEC = '{ containers: [{ name: web, image: x, ports: [{ containerPort: 8080 }] }] }';

describe('a patch', () => {
  it.each([
    ['Deployment', `{ replicas: 2, template: { spec: ${POD_SPEC} } }`, 'deploy/web'],
    ['StatefulSet', `{ template: { spec: ${POD_SPEC} } }`, 'sts/web'],
    ['DaemonSet', `{ template: { spec: ${POD_SPEC} } }`, 'ds/web'],
    ['Job', `{ template: { spec: ${POD_SPEC} } }`, 'job/web'],
    ['CronJob', `{ jobTemplate: { spec: { template: { spec: ${POD_SPEC} } } } }`, 'cj/web'],
  ])('of a %s is one of its template', async (kind, spec, to) => {
    const input = workload(kind, spec);
    const question = { from: 'client', to: `shop/${to}`, port: 9090 };
    const { withFix } = await mended(input, question);
    expect(withFix).toMatchObject({
      mended: true,
      rounds: [
        {
          for: 'FACT_MISSING',
          fix: { kind: 'patch', object: { kind, namespace: 'shop', name: 'web' } },
        },
      ],
    });
  });

  it('follows a Pod whose name is that of its template', async () => {
    const input = workload('Deployment', `{ replicas: 2, template: { spec: ${POD_SPEC} } }`);
    const scenario = await open(input);
    const pods = scenario.cluster.pods.filter(({ namespace }) => namespace === 'shop');
    for (const { name, node } of pods) {
      const to = `shop/${name}:web`;
      const { withFix, traces } = await mended(input, { from: 'client', to, port: 9090 });
      expect(withFix.mended).toBe(true);
      expect(traces[0]?.facts.probe.to).toMatchObject({ container: 'web', node });
      expect(traces[0]?.facts.probe.to.name).not.toBe(name);
    }
  });

  it('keeps a port of another protocol', async () => {
    const dns = '{ containers: [{ name: dns, image: x, ports: [{ containerPort: 53 }] }] }';
    const input = workload('StatefulSet', `{ template: { spec: ${dns} } }`);
    const question = { from: 'client', to: 'shop/web-0', port: 53, protocol: 'udp' } as const;
    const { withFix, traces } = await mended(input, question);
    expect(withFix.mended).toBe(true);
    const [after] = traces;
    const pod = after?.scenario.cluster.pods.find(({ namespace }) => namespace === 'shop');
    expect(pod?.listeners.rows.map(({ port, protocol }) => `${port}/${protocol}`)).toEqual([
      '53/tcp',
      '53/udp',
    ]);
  });

  it('of a Pod without a name is not to be had', async () => {
    const input = text(`${CLIENT}---
apiVersion: v1
kind: Pod
metadata: { generateName: web- }
spec: ${POD_SPEC}
`);
    const { cluster } = await open(input);
    const name = cluster.pods.find((pod) => pod.name.startsWith('web-'))?.name ?? '';
    const { withFix } = await mended(input, { from: 'client', to: name, port: 9090 });
    expect(withFix.rounds).toMatchObject([{ outcome: 'advice', fix: { kind: 'advice' } }]);
  });

  it('makes a Scenario where the input has none', async () => {
    const input = text(`${CLIENT}---
apiVersion: v1
kind: ConfigMap
metadata: { name: unrelated }
`);
    const options = { set: ['network.plugin=bridge'] };
    const { withFix, traces } = await mended(
      input,
      { from: 'client', to: 'external:443' },
      options,
    );
    expect(withFix).toMatchObject({ mended: true, rounds: [{ for: 'NO_SNAT_FOR_EGRESS' }] });
    expect(traces[0]?.scenario.cluster.network).toMatchObject({
      plugin: 'bridge',
      config: { ipMasq: true },
    });
  });

  it('lowers the MTU of the Pods where the way is as small as it was made', async () => {
    const options = {
      set: ['network.plugin=bridge', 'network.config.mtu=9000'],
      break: ['node/node-1: iptables -A OUTPUT -p icmp -j DROP'],
    };
    const question = { from: 'pod-a', to: 'pod-b', size: 4000 };
    const scenario = 'scenarios/bridge/static-routes.yaml';
    const { withFix, facts } = await mended(scenario, question, options);
    expect(facts.cause?.code).toBe('PMTU_BLACKHOLE');
    expect(withFix).toMatchObject({
      mended: true,
      rounds: [{ fix: { kind: 'patch', patch: { spec: { network: { config: { mtu: 1500 } } } } } }],
    });
  });

  it('gives the Pods a default route where the plugin was told to give none', async () => {
    const options = { set: ['network.plugin=bridge', 'network.config.isDefaultGateway=false'] };
    const question = { from: 'pod-a', to: 'pod-b' };
    const { withFix, facts } = await mended(
      'scenarios/bridge/static-routes.yaml',
      question,
      options,
    );
    expect(facts.cause?.code).toBe('NO_ROUTE');
    expect(withFix).toMatchObject({ mended: true, rounds: [{ fix: { kind: 'patch' } }] });
  });

  it('is applied together with the commands before it', async () => {
    const options = { break: ['node/node-2: ip link set flannel.1 down'] };
    const question = { from: 'pod-a', to: 'pod-b', port: 9090 };
    const { withFix } = await mended('scenarios/failures/nothing-listens.yaml', question, options);
    expect(withFix).toMatchObject({
      mended: true,
      rounds: [
        { for: 'LINK_DOWN', fix: { kind: 'commands' }, outcome: 'not-enough' },
        { for: 'NO_LISTENER', fix: { kind: 'patch' }, outcome: 'mended' },
      ],
    });
  });

  it('that does not fit is refused, and why', async () => {
    const file = 'scenarios/failures/nothing-listens.yaml';
    const scenario = await open(file);
    const question = { from: 'pod-a', to: 'pod-b', port: 9090 };
    const other: Input = { file: 'other.yaml', text: CLIENT };
    const elsewhere = {
      ...scenario,
      reopen: (patch: NonNullable<OpenOptions['patch']>) => openScenario([other], { patch }),
    };
    const facts = trace(scenario, question);
    const { withFix } = await mend({ scenario: elsewhere, facts }, question, ask);
    expect(withFix).toMatchObject({
      mended: false,
      rounds: [{ outcome: 'refused', problem: 'there is no Pod default/pod-b to patch' }],
    });
  });
});

describe('commands', () => {
  it('bring back every device that its plugin makes on a node', async () => {
    const file = 'scenarios/basics/two-nodes.yaml';
    for (const device of ['cni0', 'flannel.1']) {
      for (const node of ['node-1', 'node-2']) {
        const options = { break: [`node/${node}: ip link del ${device}`] };
        const { withFix, traces } = await mended(file, { from: 'pod-a', to: 'pod-b' }, options);
        expect([device, node, withFix.mended]).toEqual([device, node, true]);
        const [made, meant] = [
          traces.at(-1)?.scenario.world,
          traces.at(-1)?.scenario.unfaulted,
        ].map((world) => {
          const found = world
            ?.host(node)
            .netns.get('host')
            ?.devices.find(({ ifname }) => ifname === device);
          if (!found) return undefined;
          const { origin: _, ifindex: __, ...rest } = found;
          return JSON.parse(
            JSON.stringify(rest, (key, value) => (key === 'origin' ? undefined : value)),
          );
        });
        expect(made).toEqual({ ...meant, ...(device === 'cni0' && { macSet: true }) });
      }
    }
  });

  it('mend the tunnel that was changed, at whichever end', async () => {
    const again = (node: string, mac: string, ip: string): string[] =>
      [
        'ip link del flannel.1',
        `ip link add flannel.1 address ${mac} type vxlan id 2 dev eth0 local ${ip} dstport 8472 nolearning`,
        'ip link set flannel.1 up',
      ].map((command) => `node/${node}: ${command}`);
    const changed = [
      ...again('node-1', 'e6:5c:5f:62:f8:0a', '192.168.10.11'),
      'node/node-1: ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink',
      'node/node-1: ip neigh add 10.244.2.0 lladdr 0e:c3:4d:b6:68:45 dev flannel.1 nud permanent',
      'node/node-1: bridge fdb append 0e:c3:4d:b6:68:45 dev flannel.1 dst 192.168.10.12 self permanent',
    ];
    const { withFix, facts } = await mended(
      'scenarios/basics/two-nodes.yaml',
      { from: 'pod-a', to: 'pod-b' },
      { break: changed },
    );
    expect(facts.cause?.code).toBe('ENCAP_ENDPOINT_MISMATCH');
    expect(withFix).toMatchObject({ mended: true, rounds: [{ fix: { on: { node: 'node-1' } } }] });
  });

  it('are not tried twice', async () => {
    const scenario = await open('scenarios/failures/firewall-drop.yaml');
    const question = { from: 'pod-a', to: 'pod-b', port: 8080 };
    const facts = trace(scenario, question);
    // A cluster that nothing helps.
    const same = () => ({ ok: true, facts, world: scenario.world }) as const;
    const { withFix } = await mend({ scenario, facts }, question, same);
    expect(withFix.rounds.map(({ outcome }) => outcome)).toEqual(['not-enough', 'repeated']);
    expect(withFix.mended).toBe(false);
  });

  it('are none where nothing is wrong', async () => {
    const { withFix } = await mended('scenarios/basics/two-nodes.yaml', {
      from: 'pod-a',
      to: 'pod-b',
    });
    expect(withFix).toEqual({ mended: true, rounds: [] });
  });
});

describe('a fix without anything to compare with', () => {
  const PLACEHOLDER =
    /\b[A-Z][A-Z]+(?:-[A-Z]+)+\b|\b(?:DEVICE|MAC|ADDRESS|BRIDGE|CHAIN|PRIORITY|NODE|POD|DESTINATION|SOURCE)\b/;

  it('leaves no word for a person to fill in', async () => {
    for (const file of scenarioFiles) {
      const scenario = await open(file);
      for (const { from, to, port, protocol, size } of scenario.expectations) {
        // As a dump of the broken cluster would be: nobody knows how it was.
        const { unfaulted: _, ...alone } = scenario;
        const facts = trace(alone, { from, to, port, protocol, size });
        const question = { from, to, port, protocol, size };
        const { withFix } = await mend({ scenario: alone, facts }, question, ask);
        for (const { fix } of withFix.rounds) {
          const typed = fix.kind === 'commands' ? fix.commands.join('\n') : '';
          expect([file, typed.replace(/iptables.*/g, '')]).not.toEqual([
            file,
            expect.stringMatching(PLACEHOLDER),
          ]);
        }
      }
    }
  }, 30_000);
});
