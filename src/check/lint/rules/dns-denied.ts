/** Pods that may not ask the cluster's DNS: most connections begin with a name. */

import type { Cluster } from '../../../cluster/cluster.ts';
import { dnsPodsOf } from '../../../cluster/dns/cluster-dns.ts';
import type { Policy } from '../../../cluster/policy/policy.ts';
import { policyName } from '../../../cluster/policy/selects.ts';
import type { PolicyEngine } from '../../../policy/policy-engine.ts';
import type { Verdict } from '../../../policy/verdict.ts';
import { type Found, type LintRule, ownerTitle, podRefs, policyRef, someOf } from '../rule.ts';

const PROTOCOLS = ['udp', 'tcp'] as const;
type DnsProtocol = (typeof PROTOCOLS)[number];

interface Server {
  readonly pod: number;
  readonly ports: ReadonlyMap<DnsProtocol, number>;
}

/** The DNS Pods, with the ports that their Service sends questions to. */
const serversOf = (cluster: Cluster): Server[] =>
  dnsPodsOf(cluster).flatMap((pod) => {
    const at = cluster.pods.indexOf(pod);
    const listed = pod.containers.flatMap(({ ports }) => ports);
    const ports = new Map(
      PROTOCOLS.map((protocol) => {
        const own = listed.find(
          ({ name, port, protocol: of }) =>
            of === protocol && (port === 53 || name?.startsWith('dns')),
        );
        return [protocol, own?.port ?? 53] as const;
      }),
    );
    return at < 0 ? [] : [{ pod: at, ports }];
  });

/** Who denies a question of a Pod to every server; undefined where one answers. */
const denial = (
  engine: PolicyEngine,
  pod: number,
  servers: readonly Server[],
  protocol: DnsProtocol,
): Verdict | undefined => {
  let denied: Verdict | undefined;
  for (const { pod: server, ports } of servers) {
    if (server === pod) return undefined;
    const port = ports.get(protocol) ?? 53;
    const out = engine.judge({
      direction: 'egress',
      subject: pod,
      peer: { kind: 'pod', pod: server },
      protocol,
      port,
    });
    const into = engine.judge({
      direction: 'ingress',
      subject: server,
      peer: { kind: 'pod', pod },
      protocol,
      port,
    });
    const no = [out, into].find(({ decision }) => decision === 'deny');
    // What cannot be decided is nothing to find fault with.
    if (!no) return undefined;
    denied ??= no;
  }
  return denied;
};

const culprits = ({ by }: Verdict): readonly Policy[] => {
  switch (by.kind) {
    case 'default-deny':
      return by.policies;
    case 'rule':
      return [by.policy];
    case 'exempt':
    case 'not-isolated':
      return [];
    default:
      return by satisfies never;
  }
};

/** 5353 is that of OpenShift's Pods. */
const DNS_PORTS: ReadonlySet<number | string | undefined> = new Set([53, 5353, 'dns', 'dns-tcp']);

const namesDnsPort = ({ egress = [] }: Policy): boolean =>
  egress.some(({ ports }) => ports !== 'all' && ports.some(({ port }) => DNS_PORTS.has(port)));

/** A name leads nowhere where nothing is to be reached; and long answers alone need TCP. */
const severityOf = (
  { protocols, direction, policies }: Denied,
  isAdmin: boolean,
  isAssumed: boolean,
) => {
  if (protocols === 'TCP') return { severity: 'info' } as const;
  // Whoever names the port may know where the cluster's DNS is; the input does not.
  if (isAssumed && policies.some(namesDnsPort)) return { severity: 'info' } as const;
  const opens = policies.some(({ egress = [] }) =>
    egress.some(({ peers }) => peers === 'everyone' || peers.length > 0),
  );
  return isAdmin || direction === 'ingress' || opens ? {} : ({ severity: 'warning' } as const);
};

interface Denied {
  readonly policies: readonly Policy[];
  readonly direction: Verdict['direction'];
  readonly protocols: string;
  readonly pods: number[];
}

const fixOf = ({ direction, policies }: Denied, isAdmin: boolean): string => {
  const ports = 'UDP and TCP 53';
  if (isAdmin) return `Put a rule that allows ${ports} to the Pods of DNS before it.`;
  return direction === 'egress'
    ? `Add an egress rule for ${ports} to namespaceSelector kubernetes.io/metadata.name=kube-system with podSelector k8s-app=kube-dns.`
    : `Let the Pods of DNS be asked: add an ingress rule for ${ports} to ${policies.map(policyName).join(', ')}.`;
};

export const dnsDenied: LintRule = {
  code: 'dns-denied',
  severity: 'error',
  title: "Policies keep Pods from the cluster's DNS",
  find: ({ cluster: own, dns }) => {
    if (own.policies.length === 0 || own.pods.length === 0) return [];
    const { cluster, engine } = dns();
    const servers = serversOf(cluster);
    const isAssumed = cluster !== own;
    if (servers.length === 0) return [];
    const groups = new Map<string, Denied>();
    for (const { pods, nodeTraffic } of engine.classes) {
      const asking = pods.filter((pod) => {
        const policy = cluster.pods[pod]?.dns?.policy ?? 'ClusterFirst';
        return pod < own.pods.length && policy !== 'Default' && policy !== 'None';
      });
      const [first] = asking;
      if (first === undefined || nodeTraffic) continue;
      const denied = PROTOCOLS.flatMap((protocol) => {
        const verdict = denial(engine, first, servers, protocol);
        return verdict ? [{ protocol, verdict }] : [];
      });
      const [no] = denied;
      if (!no) continue;
      const policies = culprits(no.verdict);
      const { direction } = no.verdict;
      const protocols = denied.map(({ protocol }) => protocol.toUpperCase()).join(' and ');
      const key = JSON.stringify([direction, protocols, policies.map(policyName)]);
      const group = groups.get(key) ?? { policies, direction, protocols, pods: [] };
      groups.set(key, group);
      group.pods.push(...asking);
    }
    return [...groups.values()].map((group): Found => {
      const { policies, direction, protocols } = group;
      const pods = group.pods.flatMap((at) => cluster.pods[at] ?? []);
      const owners = [...new Set(pods.map(ownerTitle))].sort();
      const who = someOf(owners);
      const isolated =
        direction === 'ingress' ? 'the Pods of DNS' : owners.length > 1 ? 'them' : 'it';
      const names = someOf(policies.map(policyName));
      const isAdmin = policies.some(({ tier }) => tier !== 'network-policy');
      const why = isAdmin
        ? `denied by ${names}`
        : `no rule of the policies that isolate ${isolated} (${names}) admits it`;
      return {
        place: policies[0]?.place,
        objects: [...policies.map(policyRef), ...pods.slice(0, 50).flatMap(podRefs)],
        message: `${who} cannot ask the cluster's DNS${isAssumed ? ', assumed in kube-system,' : ''} over ${protocols}: ${why}`,
        fix: fixOf(group, isAdmin),
        ...severityOf(group, isAdmin, isAssumed),
      };
    });
  },
};
