/** A range of addresses of Services: policies see the Pods behind them, so it never matches. */
import type { Cluster } from '../../../cluster/cluster.ts';
import { isInside } from '../../../cluster/policy/read-block.ts';
import { parseUserCidr } from '../../../wire/parse-ip.ts';
import { policyTitle } from '../../policy/policy-title.ts';
import { policyBlocks } from '../policy-blocks.ts';
import { type LintRule, policyRef } from '../rule.ts';

/** The range itself where it is given, and the addresses that Services were seen with. */
const rangesOf = ({ network, services, notes }: Cluster): readonly string[] => {
  const isDefault = notes.some(
    ({ code, subject }) => code === 'range-default' && subject === 'serviceCIDR',
  );
  if (!isDefault) return [network.serviceCIDR];
  return services.flatMap(({ clusterIPs }) =>
    clusterIPs.flatMap(({ ip, family, invented }) =>
      invented ? [] : [`${ip}/${family === 4 ? 32 : 128}`],
    ),
  );
};

export const blockInServiceRange: LintRule = {
  code: 'block-in-service-range',
  severity: 'warning',
  title: 'An address block names addresses of Services, and never matches',
  find: ({ cluster }) => {
    const ranges = rangesOf(cluster).flatMap((cidr) => parseUserCidr(cidr) ?? []);
    return policyBlocks(cluster.policies)
      .filter(({ block }) => ranges.some((range) => isInside(block, range)))
      .map(({ policy, direction, at, peer, block }) => ({
        place: peer.place ?? policy.place,
        objects: [policyRef(policy)],
        message: `${policyTitle(policy)}: ${block.cidr} of ${direction}[${at}] holds addresses of Services alone, and never matches: policies are asked after the address of a Service has become that of a Pod`,
        fix: 'Name the Pods behind the Service by their labels (podSelector, namespaceSelector).',
      }));
  },
};
