/** The fix of a denial lets the question through, and shuts out nobody. */
import { describe, expect, it } from 'vitest';
import { ask, type Question } from '../../src/check/ask.ts';
import { mend } from '../../src/check/mend.ts';
import { type OpenedScenario, openScenario } from '../../src/scenario/open.ts';

const pod = (name: string, labels: string, namespace = 'default'): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { ${labels} } }
spec: { containers: [{ name: app, image: x, ports: [{ containerPort: 8080 }] }] }
`;

const open = async (text: string): Promise<OpenedScenario> => {
  const scenario =
    'apiVersion: k8snet/v1\nkind: Scenario\nmetadata: { name: fix }\nspec: { policyEngine: nftables }\n';
  const opened = await openScenario([{ file: 'fix.yaml', text: scenario + text }], { keep: true });
  if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
  return opened.scenario;
};

const fate = (scenario: OpenedScenario, question: Question): string => {
  const answer = ask(scenario, question);
  return answer.ok ? answer.facts.disposition : 'cannot be asked';
};

const mended = async (scenario: OpenedScenario, question: Question) => {
  const answer = ask(scenario, question);
  if (!answer.ok) throw new Error('cannot be asked');
  const { withFix, traces } = await mend({ scenario, facts: answer.facts }, question, ask);
  const [round] = withFix.rounds;
  return {
    ...withFix,
    patch: round?.fix.kind === 'patch' ? JSON.parse(JSON.stringify(round.fix.patch)) : undefined,
    after: traces.at(-1)?.scenario,
  };
};

const CANARY = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: canary }
spec: { podSelector: { matchLabels: { track: canary } } }
`;

describe('the fix of a denial', () => {
  it('isolates nobody that is called as the Pod, and was not isolated', async () => {
    const pods = [
      pod('stable', 'app: web'),
      pod('canary', 'app: web, track: canary'),
      pod('client', 'app: client'),
      pod('other', 'app: other'),
    ];
    const scenario = await open(pods.join('') + CANARY);
    const asked = { from: 'client', to: 'canary:8080' };
    const { mended: isMended, patch, after } = await mended(scenario, asked);
    expect(isMended).toBe(true);
    expect(patch).toMatchObject({
      metadata: { name: 'allow-client-to-canary', namespace: 'default' },
      spec: {
        podSelector: { matchLabels: { track: 'canary', app: 'web' } },
        policyTypes: ['Ingress'],
        ingress: [
          {
            from: [{ podSelector: { matchLabels: { app: 'client' } } }],
            ports: [{ protocol: 'TCP', port: 8080 }],
          },
        ],
      },
    });
    if (!after) throw new Error('nothing was tried');
    expect(fate(after, { from: 'other', to: 'stable:8080' })).toBe('delivered');
    expect(fate(after, { from: 'other', to: 'canary:8080' })).toBe('dropped');
    expect(fate(after, { from: 'client', to: 'canary', port: 8081 })).toBe('dropped');
  });

  it('names the namespace of a peer elsewhere, and takes a name that is free', async () => {
    const taken = CANARY.replace('name: canary', 'name: allow-client-to-canary');
    const scenario = await open(
      pod('canary', 'track: canary') + pod('client', 'run: client', 'lab') + taken,
    );
    const { mended: isMended, patch } = await mended(scenario, {
      from: 'lab/client',
      to: 'canary:8080',
    });
    expect(isMended).toBe(true);
    expect(patch).toMatchObject({
      metadata: { name: 'allow-client-to-canary-2' },
      spec: {
        ingress: [
          {
            from: [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'lab' } },
                podSelector: { matchLabels: { run: 'client' } },
              },
            ],
          },
        ],
      },
    });
  });

  it.each([
    ['asked before the one that denies', 'priority: 10', 9, 'allow-client-to-web', 'policy'],
    ['a rule before it, where nothing is asked before', 'priority: 0', 0, 'tier', 'rule'],
  ])('of a tier is %s', async (_, rank, priority, name, by) => {
    const tier = `---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: { name: tier }
spec:
  ${rank}
  subject: { namespaces: {} }
  ingress: [{ action: Deny, from: [{ namespaces: {} }] }]
`;
    const scenario = await open(
      pod('web', 'app: web') + pod('client', 'app: client') + pod('other', 'app: other') + tier,
    );
    const {
      mended: isMended,
      patch,
      after,
      rounds,
    } = await mended(scenario, {
      from: 'client',
      to: 'web:8080',
    });
    expect(isMended).toBe(true);
    expect(patch).toMatchObject({ metadata: { name }, spec: { priority } });
    expect(rounds).toMatchObject([{ fix: { advice: { code: 'allow-before', values: { by } } } }]);
    expect(after && fate(after, { from: 'other', to: 'web:8080' })).toBe('dropped');
  });

  it('is advice where no rule of the kind can name the peer', async () => {
    const baseline = `---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: { name: names }
spec:
  priority: 5
  subject: { namespaces: {} }
  egress:
    - { action: Allow, to: [{ domainNames: [example.com] }] }
    - { action: Deny, to: [{ networks: [0.0.0.0/0] }] }
`;
    const scenario = await open(pod('client', 'app: client') + baseline);
    const { mended: isMended, rounds } = await mended(scenario, {
      from: 'client',
      to: 'external',
      port: 443,
    });
    expect(isMended).toBe(false);
    expect(rounds).toMatchObject([
      { for: 'FACT_MISSING', outcome: 'advice', fix: { advice: { code: 'state-networks' } } },
    ]);
  });
});
