/** Small clusters with policies that an agent enforces, as an operator writes them. */
import type { NftTable } from '../../../src/kernel/netfilter/nft-table.ts';
import { type OpenedScenario, openScenario } from '../../../src/scenario/open.ts';
import { nftListRuleset } from '../../../src/userland/nft/print.ts';

export interface PodText {
  readonly name: string;
  readonly namespace?: string;
  readonly node?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports?: readonly object[];
  readonly ips?: readonly string[];
  readonly more?: object;
  readonly phase?: string;
}

/** A Pod with `app` for its name; it listens on 8080/tcp. */
export const pod = ({
  name,
  namespace = 'shop',
  node = 1,
  labels = {},
  ports = [],
  ips,
  more = {},
  phase,
}: PodText): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace,
    labels: { app: name, ...labels },
    annotations: { 'k8snet/listen': '8080/tcp' },
  },
  spec: { nodeName: `node-${node}`, containers: [{ name: 'app', image: 'app', ports }], ...more },
  ...((ips || phase) && {
    status: {
      phase: phase ?? 'Running',
      ...(ips && { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    },
  }),
});

export const networkPolicy = (name: string, spec: object, namespace = 'shop'): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec,
});

export const adminPolicy = (name: string, spec: object): object => ({
  apiVersion: 'policy.networking.k8s.io/v1alpha1',
  kind: 'AdminNetworkPolicy',
  metadata: { name },
  spec,
});

export const baselinePolicy = (spec: object): object => ({
  apiVersion: 'policy.networking.k8s.io/v1alpha1',
  kind: 'BaselineAdminNetworkPolicy',
  metadata: { name: 'default' },
  spec,
});

/** Two nodes, and an agent unless `spec` says otherwise. */
export const policed = async (
  objects: readonly object[],
  spec: object = {},
): Promise<OpenedScenario> => {
  const scenario = {
    apiVersion: 'k8snet/v1',
    kind: 'Scenario',
    metadata: { name: 'policed' },
    spec: {
      policyEngine: 'nftables',
      nodes: [{ name: 'node-1' }, { name: 'node-2' }],
      ...spec,
    },
  };
  const text = [scenario, ...objects].map((one) => JSON.stringify(one)).join('\n---\n');
  const opened = await openScenario([{ file: 'policed.yaml', text }]);
  if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
  return opened.scenario;
};

/** What the agent wrote on a node; undefined: it is not there. */
export const tableOn = ({ world }: OpenedScenario, node = 'node-1'): NftTable | undefined =>
  world
    .host(node)
    .netns.get('host')
    ?.netfilter.nft?.find(({ name }) => name === 'k8snet-policy');

/** Its chains and sets as nft lists them, without indentation; one text for each. */
export const blocksOn = (scenario: OpenedScenario, node = 'node-1'): Map<string, string[]> => {
  const table = tableOn(scenario, node);
  const blocks = new Map<string, string[]>();
  let block: string[] = [];
  for (const line of nftListRuleset(table ? [table] : [])) {
    const [, kind, name] = /^\t(set|map|chain) (\S+) \{$/.exec(line) ?? [];
    if (kind !== undefined && name !== undefined) {
      block = [];
      blocks.set(name, block);
    } else if (line.startsWith('\t\t')) block.push(line.trim());
  }
  return blocks;
};

/** Rules of the chain to which the Pod with an address is led. */
export const chainOf = (
  scenario: OpenedScenario,
  direction: 'ingress' | 'egress',
  ip: string,
  node = 'node-1',
): string[] | undefined => {
  const table = tableOn(scenario, node);
  const map = table?.sets.find(({ name }) => name === `${direction}-ip${ip.includes(':') ? 6 : 4}`);
  const verdict = map?.elements.find(({ key }) => key[0] === ip)?.verdict;
  if (!verdict || !('chain' in verdict)) return undefined;
  return blocksOn(scenario, node)
    .get(verdict.chain)
    ?.filter((line) => !line.startsWith('comment '));
};
