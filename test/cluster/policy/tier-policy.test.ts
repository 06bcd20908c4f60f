import { describe, expect, it } from 'vitest';
import { readYaml, tierPolicy } from './read.ts';

const ALL = 'subject: {namespaces: {}}';

describe('a policy of a tier says', () => {
  it.each<[string, string, string, string[]]>([
    [
      'AdminNetworkPolicy',
      'whom it is about, by namespaces',
      '{priority: 10, subject: {namespaces: {matchLabels: {team: a}}}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}',
      ['admin 10 -/one of team In a / *', 'ingress: accept [* / *] all'],
    ],
    [
      'AdminNetworkPolicy',
      'whom it is about, by both selectors; every action; names of rules',
      '{priority: 0, subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: a}}}}, egress: [{name: dns, action: Pass, to: [{pods: {namespaceSelector: {matchLabels: {name: k}}, podSelector: {matchLabels: {k: dns}}}}]}, {action: Deny, to: [{nodes: {}}]}]}',
      [
        'admin 0 -/one of * / app In a',
        'egress: pass "dns" [name In k / k In dns] all',
        'egress: deny [nodes *] all',
      ],
    ],
    [
      'AdminNetworkPolicy',
      'ranges and names of domains',
      `{priority: 1000, ${ALL}, egress: [{action: Allow, to: [{networks: [10.0.0.0/8, "fd00::/8"]}, {domainNames: [kubernetes.io, "*.k8s.io"]}]}]}`,
      [
        'admin 1000 -/one of * / *',
        'egress: accept [10.0.0.0/8, fd00::/8, names kubernetes.io *.k8s.io] all',
      ],
    ],
    [
      'AdminNetworkPolicy',
      'ports of its three forms',
      `{priority: 1, ${ALL}, ingress: [{action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {protocol: UDP, port: 53}}, {portNumber: {port: 80}}, {portRange: {protocol: SCTP, start: 1, end: 9}}, {namedPort: http}]}]}`,
      ['admin 1 -/one of * / *', 'ingress: deny [* / *] [udp/53, tcp/80, sctp/1-9, any/http]'],
    ],
    [
      'ClusterNetworkPolicy',
      'its tier, and protocols',
      `{tier: Baseline, priority: 5, ${ALL}, egress: [{action: Accept, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 80}}}, {udp: {destinationPort: {range: {start: 1, end: 9}}}}, {sctp: {destinationPort: {number: 7}}}, {destinationNamedPort: http}]}]}`,
      ['baseline 5 -/one of * / *', 'egress: accept [* / *] [tcp/80, udp/1-9, sctp/7, any/http]'],
    ],
    [
      'ClusterNetworkPolicy',
      'its other tier',
      `{tier: Admin, priority: 5, ${ALL}, ingress: [{action: Pass, from: [{namespaces: {}}]}]}`,
      ['admin 5 -/one of * / *', 'ingress: pass [* / *] all'],
    ],
    [
      'AdminNetworkPolicy',
      'nothing about a direction without rules',
      `{priority: 1, ${ALL}, ingress: [], egress: []}`,
      ['admin 1 -/one of * / *'],
    ],
  ])('%s: %s', async (kind, _, spec, expected) => {
    const { lines, said } = await readYaml(tierPolicy(kind, `spec: ${spec}`));
    expect(lines).toEqual(expected);
    expect(said).toEqual([]);
  });

  it('BaselineAdminNetworkPolicy has no priority and one name', async () => {
    const spec = `spec: {${ALL}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}`;
    const { lines, said } = await readYaml(
      tierPolicy('BaselineAdminNetworkPolicy', spec, 'default'),
    );
    expect(lines).toEqual(['baseline -/default of * / *', 'ingress: deny [* / *] all']);
    expect(said).toEqual([]);
    const other = await readYaml(tierPolicy('BaselineAdminNetworkPolicy', spec));
    expect(other.said).toEqual([
      'baseline-name 3:18 BaselineAdminNetworkPolicy one: metadata.name is "one"; the API takes only one that is called "default"',
    ]);
  });

  it('ClusterNetworkPolicy of v1beta1 too, and of no other group', async () => {
    const spec = `spec: {tier: Admin, priority: 5, ${ALL}}`;
    const text = tierPolicy('ClusterNetworkPolicy', spec);
    expect((await readYaml(text.replace('v1alpha2', 'v1beta1'))).lines).toEqual([
      'admin 5 -/one of * / *',
    ]);
    const other = text.replace('policy.networking.k8s.io', 'crd.antrea.io');
    expect((await readYaml(other)).lines).toEqual([]);
  });
});

const admin = (rest: string): string => `{priority: 1, ${ALL}, ${rest}}`;

describe('what is odd about a policy of a tier is said, with what it counts as', () => {
  it.each<[string, string, string, string[], string[]]>([
    [
      'AdminNetworkPolicy',
      'no priority, no subject, no rules',
      '{}',
      ['admin 0 -/one of nothing / *'],
      [
        'missing-field 4:7 AdminNetworkPolicy one: spec has no priority; it counts as 0, and is asked first',
        'missing-field 4:7 AdminNetworkPolicy one: spec.subject has neither namespaces nor pods, and selects nothing | Every Pod is namespaces: {}.',
      ],
    ],
    [
      'AdminNetworkPolicy',
      'a priority that is out of range',
      `{priority: 1001, ${ALL}}`,
      ['admin 1000 -/one of * / *'],
      [
        'out-of-range 4:18 AdminNetworkPolicy one: spec.priority is 1001; Kubernetes wants a whole number from 0 to 1000',
      ],
    ],
    [
      'AdminNetworkPolicy',
      'a word of another kind, and one of none',
      admin(
        'ingress: [{action: Accept, from: [{namespaces: {}}]}, {action: Drop, from: [{namespaces: {}}]}, {from: [{namespaces: {}}]}]',
      ),
      [
        'admin 1 -/one of * / *',
        'ingress: accept [* / *] all',
        'ingress: deny [] all',
        'ingress: deny [] all',
      ],
      [
        'bad-value 4:67 AdminNetworkPolicy one: spec.ingress[0].action is "Accept"; Allow, Deny, Pass are known | It is called Allow here.',
        'bad-value 4:111 AdminNetworkPolicy one: spec.ingress[1].action is "Drop"; Allow, Deny, Pass are known',
        'missing-field 4:144 AdminNetworkPolicy one: spec.ingress[2].action is missing, and the rule matches nothing | Allow, Deny, Pass.',
      ],
    ],
    [
      'BaselineAdminNetworkPolicy',
      'Pass, which it has not, and a priority',
      `{priority: 3, ${ALL}, ingress: [{action: Pass, from: [{namespaces: {}}]}]}`,
      ['baseline -/one of * / *', 'ingress: deny [] all'],
      [
        'baseline-name 3:18 BaselineAdminNetworkPolicy one: metadata.name is "one"; the API takes only one that is called "default"',
        'unknown-field 4:8 BaselineAdminNetworkPolicy one: spec.priority is no field of it, and counts for nothing | There is only one BaselineAdminNetworkPolicy.',
        'bad-value 4:67 BaselineAdminNetworkPolicy one: spec.ingress[0].action is "Pass"; Allow, Deny are known',
      ],
    ],
    [
      'AdminNetworkPolicy',
      'peers that only egress has, and none: an accepting rule matches nobody',
      admin(
        'ingress: [{action: Allow, from: [{networks: [10.0.0.0/8]}]}, {action: Allow, from: []}]',
      ),
      ['admin 1 -/one of * / *', 'ingress: accept [] all', 'ingress: accept [] all'],
      [
        'empty-peer 4:81 AdminNetworkPolicy one: spec.ingress[0].from[0] has none of namespaces, pods',
        'unknown-field 4:82 AdminNetworkPolicy one: spec.ingress[0].from[0].networks is no field of it, and counts for nothing | Only egress rules have it.',
        'missing-field 4:131 AdminNetworkPolicy one: spec.ingress[1].from needs a peer | Everybody in the cluster is namespaces: {}.',
      ],
    ],
    [
      'AdminNetworkPolicy',
      'a peer of no known form: a denying rule denies all',
      admin('egress: [{action: Pass, to: [{podSelector: {}}], ports: [{portNumber: {port: 80}}]}]'),
      ['admin 1 -/one of * / *', 'egress: deny everyone all'],
      [
        'empty-peer 4:77 AdminNetworkPolicy one: spec.egress[0].to[0] has none of namespaces, pods, nodes, networks, domainNames',
        'unknown-field 4:78 AdminNetworkPolicy one: spec.egress[0].to[0].podSelector is no field of it, and counts for nothing | It stands below pods.',
      ],
    ],
    [
      'AdminNetworkPolicy',
      'ports as a NetworkPolicy has them, empty ones, and ranges that are none',
      admin(
        'ingress: [{action: Deny, from: [{namespaces: {}}], ports: [{protocol: TCP, port: 80}, {portRange: {start: 9, end: 1}}, {portRange: {start: 9}}]}, {action: Deny, from: [{namespaces: {}}], ports: []}]',
      ),
      ['admin 1 -/one of * / *', 'ingress: deny [* / *] []', 'ingress: deny [* / *] []'],
      [
        'missing-field 4:107 AdminNetworkPolicy one: spec.ingress[0].ports[0] has none of portNumber, namedPort, portRange, and matches nothing',
        'unknown-field 4:108 AdminNetworkPolicy one: spec.ingress[0].ports[0].protocol is no field of it, and counts for nothing | A single port is portNumber: {protocol: TCP, port: 80}.',
        'unknown-field 4:123 AdminNetworkPolicy one: spec.ingress[0].ports[0].port is no field of it, and counts for nothing | A single port is portNumber: {protocol: TCP, port: 80}.',
        'bad-range 4:146 AdminNetworkPolicy one: spec.ingress[0].ports[1].portRange ends at 1, below its start 9, and matches nothing',
        'missing-field 4:179 AdminNetworkPolicy one: spec.ingress[0].ports[2].portRange needs start and end, and matches nothing',
        'missing-field 4:242 AdminNetworkPolicy one: spec.ingress[1].ports is empty, and the rule matches nothing',
      ],
    ],
    [
      'AdminNetworkPolicy',
      'a named port of a range, a domain that is none, two forms in one peer',
      admin(
        'egress: [{action: Allow, to: [{networks: [10.0.0.0/8], namespaces: {}}, {domainNames: [localhost, a.b]}], ports: [{namedPort: http}]}]',
      ),
      ['admin 1 -/one of * / *', 'egress: accept [* / *, 10.0.0.0/8, names a.b] [any/http]'],
      [
        'one-of 4:78 AdminNetworkPolicy one: spec.egress[0].to[0] has namespaces and networks; the API takes one of them, and each counts | Write each as an item of its own.',
        'bad-domain-name 4:135 AdminNetworkPolicy one: spec.egress[0].to[1].domainNames[0] is "localhost", which is no name such as kubernetes.io or *.kubernetes.io',
        'named-port-outside 4:161 AdminNetworkPolicy one: spec.egress[0].ports has the name "http", and only Pods have named ports | Write a rule of its own for nodes, networks and domainNames.',
      ],
    ],
    [
      'ClusterNetworkPolicy',
      'no tier, no port, a wrong one, and fields of the other kinds',
      `{priority: 1, ${ALL}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {port: 80}}], protocols: [{tcp: {}}, {TCP: {}}, {udp: {destinationPort: {range: {start: 5, end: 5}}}}]}]}`,
      ['admin 1 -/one of * / *', 'ingress: accept [* / *] [tcp, udp/5-5]'],
      [
        'missing-field 4:7 ClusterNetworkPolicy one: spec has no tier; it counts as Admin | Tiers are Admin and Baseline.',
        'bad-value 4:67 ClusterNetworkPolicy one: spec.ingress[0].action is "Allow"; Accept, Deny, Pass are known | It is called Accept here.',
        'unknown-field 4:100 ClusterNetworkPolicy one: spec.ingress[0].ports is no field of it, and counts for nothing | This kind has protocols.',
        'missing-field 4:153 ClusterNetworkPolicy one: spec.ingress[0].protocols[0].tcp has no destinationPort; it counts as every port',
        'missing-field 4:158 ClusterNetworkPolicy one: spec.ingress[0].protocols[1] has none of tcp, udp, sctp, destinationNamedPort, and matches nothing',
        'unknown-field 4:159 ClusterNetworkPolicy one: spec.ingress[0].protocols[1].TCP is no field of it, and counts for nothing | It is called tcp.',
        'bad-range 4:201 ClusterNetworkPolicy one: spec.ingress[0].protocols[2].udp.destinationPort.range starts and ends at 5 | Write number: 5.',
      ],
    ],
    [
      'ClusterNetworkPolicy',
      'a tier that is none',
      `{tier: baseline, priority: 1, ${ALL}}`,
      ['baseline 1 -/one of * / *'],
      [
        'bad-value 4:14 ClusterNetworkPolicy one: spec.tier is "baseline"; it counts as Baseline | Tiers are Admin and Baseline.',
      ],
    ],
  ])('%s: %s', async (kind, _, spec, rules, expected) => {
    const { lines, said } = await readYaml(tierPolicy(kind, `spec: ${spec}`));
    expect({ lines, said }).toEqual({ lines: rules, said: expected });
  });
});

const labelled = (name: string, app: string): string =>
  `---\n{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: {app: ${app}}}, spec: {containers: [{name: app}]}}\n`;

describe('policies of a cluster', () => {
  const rule = 'ingress: [{action: Deny, from: [{namespaces: {}}]}]';
  const of = (kind: string, name: string, app: string, priority: number, rules = rule): string =>
    `---\n${tierPolicy(
      kind,
      `spec: {${kind === 'ClusterNetworkPolicy' ? 'tier: Admin, ' : ''}priority: ${priority}, subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: ${app}}}}}, ${rules}}`,
      name,
    )}`;

  it('are in the order in which they are asked', async () => {
    const { policies } = await readYaml(
      [
        tierPolicy('BaselineAdminNetworkPolicy', `spec: {${ALL}}`, 'default'),
        tierPolicy('ClusterNetworkPolicy', `spec: {tier: Baseline, priority: 7, ${ALL}}`, 'base'),
        tierPolicy('ClusterNetworkPolicy', `spec: {tier: Admin, priority: 9, ${ALL}}`, 'cnp'),
        tierPolicy('AdminNetworkPolicy', `spec: {priority: 10, ${ALL}}`, 'late'),
        tierPolicy('AdminNetworkPolicy', `spec: {priority: 2, ${ALL}}`, 'early'),
        ...['b', 'a'].flatMap((namespace) =>
          ['two', 'one'].map(
            (name) =>
              `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {}\n`,
          ),
        ),
      ].join('---\n'),
    );
    expect(policies.map(({ namespace, name }) => [namespace, name].join('/'))).toEqual([
      '/early',
      '/cnp',
      '/late',
      'a/one',
      'a/two',
      'b/one',
      'b/two',
      '/base',
      '/default',
    ]);
  });

  it('of one priority have no order, where a Pod has both', async () => {
    const pods = labelled('p', 'a') + labelled('q', 'b');
    const both = await readYaml(
      pods + of('AdminNetworkPolicy', 'one', 'a', 5) + of('ClusterNetworkPolicy', 'two', 'a', 5),
    );
    expect(both.said).toEqual([
      'equal-priority 14:31 ClusterNetworkPolicy two: spec.priority is 5, as is that of AdminNetworkPolicy/one, and both select the same Pods: the API leaves open which is asked first; here it is AdminNetworkPolicy/one | Give each a priority of its own.',
    ]);
    const apart = [
      of('AdminNetworkPolicy', 'one', 'a', 5) + of('AdminNetworkPolicy', 'two', 'b', 5),
      of('AdminNetworkPolicy', 'one', 'a', 5) + of('AdminNetworkPolicy', 'two', 'a', 6),
      of('AdminNetworkPolicy', 'one', 'a', 5) +
        of('AdminNetworkPolicy', 'two', 'a', 5, 'egress: [{action: Deny, to: [{namespaces: {}}]}]'),
    ];
    for (const text of apart) expect((await readYaml(pods + text)).said).toEqual([]);
  });
});
