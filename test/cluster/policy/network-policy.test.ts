import { describe, expect, it } from 'vitest';
import { networkPolicy, readYaml } from './read.ts';

const specOf = (spec: string): string => networkPolicy(`spec: ${spec}`);

describe('a NetworkPolicy says', () => {
  it.each([
    ['who is isolated: ingress, without policyTypes', '{podSelector: {}}', ['ingress: -']],
    ['ingress alone, with no rules', '{podSelector: {}, ingress: []}', ['ingress: -']],
    [
      'both, where it has egress rules',
      '{egress: [{}]}',
      ['ingress: -', 'egress: accept everyone all'],
    ],
    ['egress alone', '{policyTypes: [Egress]}', ['egress: -']],
    ['both directions', '{policyTypes: [Ingress, Egress]}', ['ingress: -', 'egress: -']],
    ['everything, with an empty rule', '{ingress: [{}]}', ['ingress: accept everyone all']],
    [
      'everyone, with empty lists',
      '{ingress: [{from: [], ports: []}]}',
      ['ingress: accept everyone all'],
    ],
    [
      'Pods of its namespace, of others, and of both selectors together',
      '{ingress: [{from: [{podSelector: {}}, {namespaceSelector: {}}, {namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {app: b}}}]}]}',
      ['ingress: accept [own / *, * / *, team In a / app In b] all'],
    ],
    [
      'every operator',
      '{ingress: [{from: [{podSelector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: In, values: [d, e]}, {key: f, operator: NotIn, values: [g]}, {key: h, operator: Exists}, {key: i, operator: DoesNotExist}]}}]}]}',
      ['ingress: accept [own / a In b & c In d|e & f NotIn g & h Exists & i DoesNotExist] all'],
    ],
    [
      'ranges of both families with exceptions',
      '{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.3.4/32]}}, {ipBlock: {cidr: "2001:db8::/32", except: ["2001:db8:1::/48"]}}]}], policyTypes: [Egress]}',
      ['egress: accept [10.0.0.0/8 -10.1.0.0/16 -10.2.3.4/32, 2001:db8::/32 -2001:db8:1::/48] all'],
    ],
    [
      'ports: a number, a name, a range, a protocol alone, TCP unless it says otherwise',
      '{ingress: [{ports: [{port: 80}, {port: http}, {port: 1000, endPort: 2000, protocol: UDP}, {protocol: SCTP}, {}]}]}',
      ['ingress: accept everyone [tcp/80, tcp/http, udp/1000-2000, sctp, tcp]'],
    ],
    [
      'one port as a range',
      '{ingress: [{ports: [{port: 80, endPort: 80}]}]}',
      ['ingress: accept everyone [tcp/80-80]'],
    ],
  ])('%s', async (_, spec, rules) => {
    const { lines, said } = await readYaml(specOf(spec));
    expect(lines.slice(1)).toEqual(rules);
    expect(said).toEqual([]);
  });

  it('whom it selects, in which namespace, and of which group', async () => {
    const { lines, said } = await readYaml(
      `apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec: {podSelector: {matchLabels: {app: web}}}\n---\napiVersion: crd.projectcalico.org/v1\nkind: NetworkPolicy\nmetadata: {name: other}\n`,
    );
    expect(lines).toEqual(['network-policy shop/web of own / app In web', 'ingress: -']);
    expect(said).toEqual([]);
  });

  it('where it stands, and its rules, peers and ports', async () => {
    const { policies } = await readYaml(
      networkPolicy(
        `spec:
  podSelector: {}
  ingress:
    - from:
        - podSelector: {}
        - ipBlock: { cidr: 10.0.0.0/8 }
      ports:
        - port: 80`,
      ),
    );
    const at = (item: { place?: { file: string; line?: number; column?: number } } | undefined) =>
      `${item?.place?.file}:${item?.place?.line}:${item?.place?.column}`;
    const [policy] = policies;
    const [rule] = policy?.ingress ?? [];
    const peers = typeof rule?.peers === 'object' ? rule.peers : [];
    const ports = typeof rule?.ports === 'object' ? rule.ports : [];
    expect([policy, rule, ...peers, ...ports].map(at)).toEqual([
      '0.yaml:1:1',
      '0.yaml:7:7',
      '0.yaml:8:11',
      '0.yaml:9:11',
      '0.yaml:11:11',
    ]);
  });
});

describe('what is odd about a NetworkPolicy is said, with what it counts as', () => {
  it.each<[string, string, string[], string[]]>([
    [
      'no dash below from',
      '{ingress: [{from: {podSelector: {matchLabels: {app: a}}}}]}',
      ['ingress: accept [own / app In a] all'],
      [
        'wrong-type 4:25 NetworkPolicy web: spec.ingress[0].from is an object; Kubernetes wants a list | Put a dash before the first key of each item.',
      ],
    ],
    [
      'a selector beside from',
      '{ingress: [{podSelector: {}}]}',
      ['ingress: accept everyone all'],
      [
        'unknown-field 4:19 NetworkPolicy web: spec.ingress[0].podSelector is no field of it, and counts for nothing | Put it into from, as an item with a dash.',
      ],
    ],
    [
      'from in egress',
      '{policyTypes: [Egress], egress: [{from: [{podSelector: {}}]}]}',
      ['egress: accept everyone all'],
      [
        'unknown-field 4:41 NetworkPolicy web: spec.egress[0].from is no field of it, and counts for nothing | Egress rules have to.',
      ],
    ],
    [
      'a peer that is empty',
      '{ingress: [{from: [{}]}]}',
      ['ingress: accept [] all'],
      [
        'empty-peer 4:26 NetworkPolicy web: spec.ingress[0].from[0] has no podSelector, namespaceSelector or ipBlock, and matches nobody | podSelector: {} is every Pod of the namespace, namespaceSelector: {} every Pod.',
      ],
    ],
    [
      'a label without matchLabels',
      '{podSelector: {app: web}}',
      ['ingress: -'],
      [
        'unknown-field 4:22 NetworkPolicy web: spec.podSelector.app is no part of a selector | Put it below matchLabels.',
      ],
    ],
    [
      'a selector that is a text',
      '{ingress: [{from: [{podSelector: web}]}]}',
      ['ingress: accept [own / nothing] all'],
      [
        'wrong-type 4:40 NetworkPolicy web: spec.ingress[0].from[0].podSelector is "web"; Kubernetes wants a selector | Write matchLabels: {app: web} below it; {} matches everything.',
      ],
    ],
    [
      'an operator of nodes',
      '{podSelector: {matchExpressions: [{key: a, operator: Gt, values: ["1"]}]}}',
      ['ingress: -'],
      [
        'unknown-operator 4:60 NetworkPolicy web: spec.podSelector.matchExpressions[0].operator is "Gt" | Operators are In, NotIn, Exists, DoesNotExist.',
      ],
    ],
    [
      'In without values, values of Exists, a value that no label has',
      '{podSelector: {matchExpressions: [{key: a, operator: In}, {key: b, operator: Exists, values: [c]}], matchLabels: {app: "a b"}}}',
      ['ingress: -'],
      [
        'missing-field 4:41 NetworkPolicy web: spec.podSelector.matchExpressions[0] has no values, which In needs | It matches nothing.',
        'not-used 4:100 NetworkPolicy web: spec.podSelector.matchExpressions[1].values count for nothing with Exists',
        'bad-label 4:126 NetworkPolicy web: spec.podSelector.matchLabels.app is "a b", which no label can have',
      ],
    ],
    [
      'empty egress without policyTypes',
      '{podSelector: {}, egress: []}',
      ['ingress: -'],
      [
        'not-used 4:33 NetworkPolicy web: spec.egress is empty and policyTypes is missing: it denies nothing | To deny all egress, write policyTypes: [Egress].',
      ],
    ],
    [
      'rules of a direction that policyTypes leaves out',
      '{policyTypes: [Egress], ingress: [{}]}',
      ['egress: -'],
      [
        'not-used 4:40 NetworkPolicy web: spec.ingress counts for nothing: policyTypes has no Ingress',
      ],
    ],
    [
      'a type in lower case, and none at all',
      '{policyTypes: [ingress, Both]}',
      ['ingress: -'],
      [
        'bad-value 4:22 NetworkPolicy web: spec.policyTypes[0] is "ingress"; Kubernetes wants Ingress or Egress | Did you mean Ingress?',
        'bad-value 4:31 NetworkPolicy web: spec.policyTypes[1] is "Both"; Kubernetes wants Ingress or Egress',
      ],
    ],
    [
      'ranges of ports that are none',
      '{ingress: [{ports: [{port: 90, endPort: 80}, {endPort: 80}, {port: http, endPort: 80}, {port: 0}]}]}',
      ['ingress: accept everyone [tcp/http]'],
      [
        'bad-range 4:47 NetworkPolicy web: spec.ingress[0].ports[0].endPort is 80, below port 90, and the item matches nothing',
        'bad-range 4:62 NetworkPolicy web: spec.ingress[0].ports[1].endPort stands without port, and the item matches nothing',
        'bad-range 4:89 NetworkPolicy web: spec.ingress[0].ports[2].endPort counts for nothing: port is the name "http"',
        'out-of-range 4:101 NetworkPolicy web: spec.ingress[0].ports[3].port is 0; Kubernetes wants a whole number from 1 to 65535',
      ],
    ],
    [
      'a number in quotes, a name that is none, a protocol that is none, one in lower case',
      '{ingress: [{ports: [{port: "80"}, {port: HTTP}, {port: 1, protocol: HTTP}, {port: 2, protocol: udp}]}]}',
      ['ingress: accept everyone [tcp/80, tcp/HTTP, udp/2]'],
      [
        'bad-value 4:34 NetworkPolicy web: spec.ingress[0].ports[0].port is "80", which is a name to Kubernetes | Write 80 without quotes.',
        'bad-port-name 4:48 NetworkPolicy web: spec.ingress[0].ports[1].port is "HTTP"; no port can be called that | A name has at most 15 lower-case letters, digits and dashes.',
        'unknown-protocol 4:75 NetworkPolicy web: spec.ingress[0].ports[2].protocol is "HTTP" | TCP, UDP or SCTP.',
      ],
    ],
    [
      'ranges that are none or not canonical',
      '{ingress: [{from: [{ipBlock: {cidr: 10.1.2.3}}, {ipBlock: {cidr: 10.1.2.3/8}}, {ipBlock: {}}, {ipBlock: {cidr: "2001:DB8::1/64"}}, {ipBlock: {cidr: 1.2.3.0/33}}]}]}',
      ['ingress: accept [10.0.0.0/8, 2001:db8::/64] all'],
      [
        'bad-cidr 4:43 NetworkPolicy web: spec.ingress[0].from[0].ipBlock.cidr is "10.1.2.3", which is no range such as 203.0.113.0/24; it matches nothing | For the one address write 10.1.2.3/32.',
        'cidr-not-canonical 4:72 NetworkPolicy web: spec.ingress[0].from[1].ipBlock.cidr is "10.1.2.3/8"; it counts as 10.0.0.0/8',
        'missing-field 4:96 NetworkPolicy web: spec.ingress[0].from[2].ipBlock has no cidr, and matches nothing',
        'cidr-not-canonical 4:118 NetworkPolicy web: spec.ingress[0].from[3].ipBlock.cidr is "2001:DB8::1/64"; it counts as 2001:db8::/64',
        'bad-cidr 4:155 NetworkPolicy web: spec.ingress[0].from[4].ipBlock.cidr is "1.2.3.0/33", which is no range such as 203.0.113.0/24; it matches nothing',
      ],
    ],
    [
      'exceptions that lie elsewhere, or leave nothing',
      '{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16, except: [10.1.0.0/24, "fd00::/8", 10.0.0.0/8]}}]}]}',
      ['ingress: accept [10.0.0.0/16 -10.0.0.0/16] all'],
      [
        'except-outside 4:65 NetworkPolicy web: spec.ingress[0].from[0].ipBlock.except[0] is 10.1.0.0/24, which does not lie inside 10.0.0.0/16; it cuts nothing',
        'except-outside 4:78 NetworkPolicy web: spec.ingress[0].from[0].ipBlock.except[1] is fd00::/8, which does not lie inside 10.0.0.0/16; it cuts nothing',
        'except-all 4:90 NetworkPolicy web: spec.ingress[0].from[0].ipBlock.except[2] is 10.0.0.0/8, which leaves nothing of 10.0.0.0/16',
      ],
    ],
    [
      'ipBlock beside a selector',
      '{ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]}',
      ['ingress: accept [10.0.0.0/8] all'],
      [
        'one-of 4:40 NetworkPolicy web: spec.ingress[0].from[0].podSelector stands beside ipBlock, which the API refuses; ipBlock counts | Write each as an item of its own.',
      ],
    ],
    [
      'from that is a text: nobody',
      '{ingress: [{from: everyone, ports: 80}]}',
      ['ingress: accept [] []'],
      [
        'wrong-type 4:25 NetworkPolicy web: spec.ingress[0].from is "everyone"; Kubernetes wants a list',
        'wrong-type 4:42 NetworkPolicy web: spec.ingress[0].ports is 80; Kubernetes wants a list',
      ],
    ],
    [
      'a field of the spec that is none',
      '{podSelector: {}, policyType: [Egress]}',
      ['ingress: -'],
      [
        'unknown-field 4:25 NetworkPolicy web: spec.policyType is no field of it, and counts for nothing | Did you mean policyTypes?',
      ],
    ],
  ])('%s', async (_, spec, rules, expected) => {
    const { lines, said } = await readYaml(specOf(spec));
    expect(said).toEqual(expected);
    expect(lines.slice(1)).toEqual(rules);
  });

  it('one without a name is left out, one without a spec denies all ingress', async () => {
    const { lines, said } = await readYaml(
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec: {}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n',
    );
    expect(lines).toEqual(['network-policy default/a of own / *', 'ingress: -']);
    expect(said).toEqual([
      'missing-name 1:1 NetworkPolicy: has no metadata.name and is left out',
      'missing-field 5:1 NetworkPolicy a: has no spec: it denies all ingress',
    ]);
  });
});
