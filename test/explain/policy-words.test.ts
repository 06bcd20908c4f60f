import { describe, expect, it } from 'vitest';
import { ask, type Question } from '../../src/check/ask.ts';
import { whyOf } from '../../src/check/fix/remedy.ts';
import { tellCause } from '../../src/explain/cause.ts';
import { en } from '../../src/explain/messages/en.ts';
import { UNICODE } from '../../src/explain/quote.ts';
import type { ToldStep } from '../../src/explain/step.ts';
import { tellStory } from '../../src/explain/story.ts';
import { tellingOf } from '../../src/explain/telling.ts';
import { type OpenedScenario, openScenario } from '../../src/scenario/open.ts';
import { type Depth, prune } from '../../src/trace/prune.ts';
import { rows } from '../../src/userland/print/rows.ts';

const pod = (name: string, labels: string, node = 'node-2', namespace = 'shop'): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { ${labels} } }
spec:
  nodeName: ${node}
  containers: [{ name: app, image: x, ports: [{ containerPort: 7070 }] }]
`;

const policy = (name: string, spec: string, namespace = 'shop'): string => `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${spec}
`;

const PODS = [
  pod('cart', 'app: cart'),
  pod('frontend', 'app: frontend', 'node-1'),
  pod('load', 'tier: test', 'node-1'),
  pod('stranger', 'app: frontend', 'node-1', 'lab'),
].join('');

const DENY_ALL = policy('deny-all', '{ podSelector: {}, policyTypes: [Ingress] }');
const CART = policy(
  'cart',
  '{ podSelector: { matchLabels: { app: cart } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: frontend } } }], ports: [{ port: 7070 }] }] }',
);

const open = async (text: string, enforced = true, nf = 1): Promise<OpenedScenario> => {
  const engine = enforced ? 'policyEngine: nftables,' : '';
  const sysctl = `sysctl: { net.bridge.bridge-nf-call-iptables: ${nf} }`;
  const scenario = `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: words }
spec: { ${engine} nodes: [{ name: node-1, ${sysctl} }, { name: node-2, ${sysctl} }] }
`;
  const opened = await openScenario([{ file: 'shop.yaml', text: scenario + text }]);
  if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
  return opened.scenario;
};

const told = (scenario: OpenedScenario, question: Question, depth: Depth = 'default') => {
  const answer = ask(scenario, question);
  if (!answer.ok) throw new Error('cannot be asked');
  const { facts } = answer;
  const telling = tellingOf(scenario, rows, en, UNICODE, (failed) => whyOf(scenario, failed));
  const story = tellStory(prune(facts, depth), facts, telling);
  const steps = story.legs.flatMap(({ hops }) => hops.flatMap((hop) => hop.steps));
  const why = whyOf(scenario, facts);
  return {
    story,
    steps,
    policies: steps.filter(({ kind }) => kind === 'policy'),
    cause: why && tellCause(why, telling, en),
  };
};

const said = ({ text, aside, more }: ToldStep) => [text, aside, ...(more ?? [])];

describe('a step of policies', () => {
  it('names the rule that admits, and where it stands', async () => {
    const { policies } = told(await open(PODS + DENY_ALL + CART), {
      from: 'shop/frontend',
      to: 'shop/cart:7070',
    });
    expect(policies.map(said)).toEqual([
      ['ingress of shop/cart: allowed by NetworkPolicy cart rule 1', 'shop.yaml:42'],
    ]);
  });

  it('names all that isolate, and what the nearest rule of each lacks', async () => {
    const scenario = await open(PODS + DENY_ALL + CART);
    const { policies, cause, steps } = told(scenario, { from: 'shop/load', to: 'shop/cart:7070' });
    expect(policies.map(said)).toEqual([
      [
        'ingress of shop/cart: denied, since NetworkPolicies cart and deny-all isolate it together and no rule of them admits shop/load on TCP 7070',
        undefined,
        'NetworkPolicy cart: its rule 1 covers TCP 7070, but only from Pods app=frontend; shop/load has no such label (shop.yaml:42)',
        'NetworkPolicy deny-all: it has no rule for ingress (shop.yaml:34)',
      ],
    ]);
    expect(cause?.message).toBe(
      'NetworkPolicies cart and deny-all isolate shop/cart for ingress together, and no rule of them admits shop/load on TCP 7070.',
    );
    expect(cause?.fix.said).toBe(
      'Add this NetworkPolicy, or its rule to NetworkPolicy cart (shop.yaml:42).',
    );
    // The rule that does it, and the hook, say nothing more.
    expect(steps.slice(-2).map(({ kind }) => kind)).toEqual(['policy', 'drop']);
    expect(
      told(scenario, { from: 'shop/load', to: 'shop/cart:7070' }, 'verbose')
        .steps.slice(-4)
        .map(({ kind, action }) => `${kind} ${action}`),
    ).toEqual(['policy denied', 'hook drop', 'rule drop', 'drop drop']);
  });

  it('tells another namespace and another port from another label', async () => {
    const scenario = await open(PODS + DENY_ALL + CART);
    const lines = (from: string, port: number) =>
      told(scenario, { from, to: 'shop/cart', port }).policies.flatMap(({ more = [] }) => more[0]);
    expect(lines('lab/stranger', 7070)).toEqual([
      'NetworkPolicy cart: its rule 1 covers TCP 7070, but only from Pods app=frontend; lab/stranger is in namespace lab (shop.yaml:42)',
    ]);
    expect(lines('shop/frontend', 9090)).toEqual([
      'NetworkPolicy cart: its rule 1 covers shop/frontend, but only on TCP 7070; the packet is for TCP 9090 (shop.yaml:42)',
    ]);
  });

  it('says every port of a rule without ports, and everybody of one without peers', async () => {
    const line = async (rule: string): Promise<string | undefined> => {
      const cart = policy('cart', `{ podSelector: {}, ingress: [${rule}] }`);
      const scenario = await open(PODS + cart);
      return told(scenario, { from: 'shop/load', to: 'shop/cart:7070' }).policies[0]?.more?.[0];
    };
    expect(await line('{ from: [{ podSelector: { matchLabels: { app: web } } }] }')).toContain(
      'its rule 1 covers every port, but only from Pods app=web;',
    );
    expect(await line('{ ports: [{ port: 80 }] }')).toContain(
      'its rule 1 covers everybody, but only on TCP 80;',
    );
  });

  it('says what would happen where nobody enforces anything', async () => {
    const scenario = await open(PODS + DENY_ALL + CART, false);
    const steps = (from: string) =>
      told(scenario, { from, to: 'shop/cart:7070' }).policies.map(({ text, aside }) => [
        text,
        aside,
      ]);
    expect(steps('shop/load')).toEqual([
      [
        'ingress of shop/cart: NetworkPolicies cart and deny-all select it, and nobody enforces them; else it would be dropped',
        'see --policy enforced',
      ],
    ]);
    expect(steps('shop/frontend')).toEqual([
      [
        'ingress of shop/cart: NetworkPolicies cart and deny-all select it, and nobody enforces them; else it would pass (NetworkPolicy cart rule 1)',
        undefined,
      ],
    ]);
  });

  it('says that a frame within a bridge escapes', async () => {
    const near = pod('near', 'app: near');
    const scenario = await open(PODS + near + DENY_ALL, true, 0);
    const { policies, story } = told(scenario, { from: 'shop/near', to: 'shop/cart:7070' });
    expect(story.status).toBe('good');
    expect(policies.map(({ text }) => text)).toEqual([
      'ingress of shop/cart: NetworkPolicy deny-all selects it, and the frame passes no hook with its rules (bridge-nf-call-iptables); else it would be dropped',
    ]);
  });

  it('is shown only with -v where no policy selects the Pod', async () => {
    const scenario = await open(PODS + CART);
    const question = { from: 'shop/frontend', to: 'lab/stranger:7070' };
    expect(told(scenario, question).policies).toEqual([]);
    expect(told(scenario, question, 'verbose').policies.map(({ text }) => text)).toEqual([
      'egress of shop/frontend: no policy selects it',
      'ingress of lab/stranger: no policy selects it',
    ]);
  });

  it('says in the head of the trace whether somebody enforces policies', async () => {
    const question = { from: 'shop/frontend', to: 'shop/cart:7070' };
    const network = async (text: string, enforced: boolean) =>
      told(await open(text, enforced), question).story.header.network;
    expect(await network(PODS + CART, true)).toBe('flannel vxlan, policies enforced');
    expect(await network(PODS + CART, false)).toBe('flannel vxlan, policies not enforced');
    expect(await network(PODS, true)).toBe('flannel vxlan');
  });

  it.each([
    [
      'policy',
      'Add this AdminNetworkPolicy, which is asked before rule 2 of AdminNetworkPolicy guard (a.yaml:7), where that is meant.',
    ],
    [
      'rule',
      'Put one more rule before rule 2 of AdminNetworkPolicy guard (a.yaml:7), where that is meant: it is for every Pod that AdminNetworkPolicy guard is about.',
    ],
    [
      '',
      'Let a rule that allows it stand before rule 2 of AdminNetworkPolicy guard (a.yaml:7), where that is meant.',
    ],
  ])('says for whom the fix of a tier is: %s', (by, text) => {
    const values = { kind: 'AdminNetworkPolicy', name: 'guard', rule: 2, place: 'a.yaml:7', by };
    expect(en.advice['allow-before'](values)).toBe(text);
  });
});
