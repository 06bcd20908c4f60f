/** Policies in a cluster whose plugin does nothing with them. */
import { type LintRule, policyRef } from '../rule.ts';

export const policyNotEnforced: LintRule = {
  code: 'policy-not-enforced',
  severity: 'warning',
  title: 'The plugin does not enforce policies',
  find: ({ cluster }) => {
    const { policies, policyEngine, network, notes } = cluster;
    const [first] = policies;
    if (policyEngine !== 'none' || !first) return [];
    // Nothing in the input says which plugin there is.
    const isAssumed = notes.some(({ code }) => code === 'plugin-default');
    const traced = notes.some(({ code }) => code === 'plugin-traced-as-bridge');
    if (isAssumed || traced) return [];
    const many = policies.length === 1 ? 'The policy is' : `The ${policies.length} policies are`;
    return [
      {
        place: first.place,
        objects: policies.map(policyRef),
        message: `${many} not enforced: the ${network.plugin} plugin enforces no policy, and nothing else does`,
        fix: 'Run something that enforces policies beside the plugin (spec.policyEngine: nftables stands for it), or use a plugin that does.',
      },
    ];
  },
};
