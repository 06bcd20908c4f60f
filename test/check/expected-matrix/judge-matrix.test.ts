import { describe, expect, it } from 'vitest';
import { matrixJudge } from '../../../src/check/expected-matrix/judge-matrix.ts';
import { connectionText } from '../../../src/policy/connection-set.ts';
import { planTests } from '../../../src/scenario/expectations/plan.ts';

const pod = (name: string, namespace = 'default', port = 80): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${name} } }
spec: { containers: [{ name: app, image: x, ports: [{ containerPort: ${port} }] }] }
`;
const policy = (name: string, spec: string): string => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name} }
spec: ${spec}
`;
const service = `
apiVersion: v1
kind: Service
metadata: { name: front }
spec: { selector: { app: cart }, ports: [{ port: 8080, targetPort: 80 }] }
`;
/** cart is only for web, on 80; db may only look names up, and reach 172.16.0.0/12. */
const manifests = [
  pod('cart'),
  pod('web'),
  pod('ad'),
  pod('db'),
  pod('far', 'other'),
  service,
  policy(
    'cart',
    '{ podSelector: { matchLabels: { app: cart } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: 80 }] }] }',
  ),
  policy(
    'db',
    '{ podSelector: { matchLabels: { app: db } }, policyTypes: [Egress], egress: [{ ports: [{ port: 53, protocol: UDP }] }, { to: [{ ipBlock: { cidr: 172.16.0.0/12 } }] }] }',
  ),
].join('---');

const findings = async (entry: string, metadata = 'name: e'): Promise<string[]> => {
  const text = `apiVersion: k8snet/v1\nkind: Expectations\nmetadata: { ${metadata} }\nspec:\n  matrix:\n    - ${entry}\n`;
  const plan = await planTests(
    [
      { file: 'p.yaml', text: manifests },
      { file: 'e.yaml', text },
    ],
    [],
    {},
  );
  const opened = await plan.targets[0]?.open();
  if (!opened?.ok) throw new Error(JSON.stringify(opened?.diagnostics));
  const [expectation] = opened.matrix;
  if (!expectation) throw new Error('no matrix');
  const judged = matrixJudge(opened.cluster).judge(expectation);
  if (judged.kind === 'unanswerable')
    return judged.diagnostics.map(({ message, line, column }) => `${line}:${column} ${message}`);
  return judged.findings.map(
    ({ verb, from, to, found, ports, verdicts }) =>
      `${verb} ${from} > ${to} ${found}${ports ? ` ${connectionText(ports)}` : ''}; ${verdicts
        .map(({ direction, by }) => `${direction} ${by.kind}`)
        .join(', ')}`,
  );
};

describe('matrixJudge', () => {
  it.each([
    '{ to: "cart:80/tcp", only: web }',
    '{ to: cart, only: [web] }',
    '{ to: "svc/front:8080", only: web }',
    '{ to: "cart:80", allow: web, deny: [ad, db, external, namespace/other] }',
    '{ to: "cart:81", only: [] }',
    '{ from: cart, allow: [web, external, "everything:53/udp"] }',
    '{ from: db, only: ["172.16.0.0/12", "external:53/udp", "web:53/udp", "ad:53/udp", "other/far:53/udp"] }',
    '{ from: db, deny: [web:80, "203.0.113.0/24:443", cart] }',
    '{ to: "other/far:80", only: [external, web, ad, cart] }',
  ])('finds nothing where it holds: %s', async (entry) => {
    expect(await findings(entry)).toEqual([]);
  });

  it('names whoever may, and should not', async () => {
    expect(await findings('{ to: "cart:80", only: ad }')).toEqual([
      'only default/ad[Pod] > default/cart[Pod] denied TCP 80; egress not-isolated, ingress default-deny',
      'only default/web[Pod] > default/cart[Pod] allowed TCP 80; egress not-isolated, ingress rule',
    ]);
  });

  it('finds a port that is open beside those that are named', async () => {
    expect(await findings('{ to: cart, deny: web }')).toEqual([
      'deny default/web[Pod] > default/cart[Pod] allowed TCP 80; egress not-isolated, ingress rule',
    ]);
    expect(await findings('{ from: web, only: ["cart:81", ad, db, other/far, external] }')).toEqual(
      [
        'only default/web[Pod] > default/cart[Pod] denied TCP 81; egress not-isolated, ingress default-deny',
        'only default/web[Pod] > default/cart[Pod] allowed TCP 80; egress not-isolated, ingress rule',
      ],
    );
  });

  it('does not take a part of the outside for all of it', async () => {
    expect(
      await findings('{ from: web, only: ["192.168.0.0/16", cart, ad, db, namespace/other] }'),
    ).toEqual([
      'only default/web[Pod] > 0.0.0.0-192.167.255.255, 192.169.0.0-255.255.255.255 allowed all; egress not-isolated',
    ]);
    expect(
      await findings(
        '{ from: db, only: ["172.16.0.0/13", "external:53/udp", "web:53/udp", "ad:53/udp", "other/far:53/udp"] }',
      ),
    ).toEqual([
      'only default/db[Pod] > 172.24.0.0-172.31.255.255 allowed TCP 1-65535; UDP 1-52,54-65535; SCTP 1-65535; egress rule',
    ]);
    expect(await findings('{ from: db, allow: ["172.16.1.0/24", 203.0.113.7:443] }')).toEqual([
      'allow default/db[Pod] > 203.0.113.7 denied TCP 443; egress default-deny',
    ]);
  });

  it('says nothing of a port where nothing is let through at all', async () => {
    expect(await findings('{ to: cart, allow: external }')).toEqual([
      'allow external > default/cart[Pod] denied; ingress default-deny',
    ]);
  });

  it('looks names up in the namespace of the Expectations', async () => {
    expect(await findings('{ to: far, deny: default/web }', 'name: e, namespace: other')).toEqual([
      'deny default/web[Pod] > other/far[Pod] allowed all; egress not-isolated, ingress not-isolated',
    ]);
  });

  it('says all that is wrong with the names at once, each at its place', async () => {
    expect(
      await findings('{ to: "crat:80", only: [web:80, node/node-1, namespace/x, svc/front, ad] }'),
    ).toEqual([
      '6:13 there is no Pod "crat" in namespace default',
      '6:31 web:80 talks, and its ports are not looked at',
      '6:39 node/node-1 is a node, which no policy is about',
      '6:52 namespace x has no Pods',
      '6:65 svc/front is a Service, which sends nothing',
    ]);
  });
});
