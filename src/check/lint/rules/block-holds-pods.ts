/** A range of addresses that holds Pods: whether it matches them is up to the plugin. */
import type { Cluster } from '../../../cluster/cluster.ts';
import { isInside } from '../../../cluster/policy/read-block.ts';
import { parseUserCidr } from '../../../wire/parse-ip.ts';
import { policyTitle } from '../../policy/policy-title.ts';
import { policyBlocks } from '../policy-blocks.ts';
import { type LintRule, policyRef } from '../rule.ts';

/** The Pods' range, unless nobody said it and no Pod shows it. */
const podRange = ({ network, notes, pods }: Cluster): string | undefined =>
  notes.some(({ code, subject }) => code === 'range-default' && subject === 'podCIDR') &&
  pods.every(({ ip, invented }) => ip === undefined || invented.ip)
    ? undefined
    : network.podCIDR;

export const blockHoldsPods: LintRule = {
  code: 'block-holds-pods',
  severity: 'info',
  title: 'An address block holds addresses of Pods',
  find: ({ cluster }) => {
    const pods = parseUserCidr(podRange(cluster) ?? '');
    if (!pods) return [];
    return policyBlocks(cluster.policies).flatMap(({ policy, direction, at, peer, block }) => {
      // Everything is meant as everything.
      if (block.prefix === 0) return [];
      const meets = isInside(pods, block) || isInside(block, pods);
      const cut = peer.except.some((cidr) => {
        const range = parseUserCidr(cidr);
        return range !== undefined && isInside(pods, range);
      });
      if (!meets || cut) return [];
      return [
        {
          place: peer.place ?? policy.place,
          objects: [policyRef(policy)],
          message: `${policyTitle(policy)}: ${block.cidr} of ${direction}[${at}] holds addresses of Pods (${pods.cidr}); the API leaves open whether it matches them`,
          fix: `Name Pods by their labels; for what is outside alone add except: [${pods.cidr}].`,
        },
      ];
    });
  },
};
