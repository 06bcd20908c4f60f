/** What a rule that an agent wrote for policies comes to, where it ended the packet. */
import type { OriginWhy } from '../kernel/origin.ts';
import type { CauseCode } from './trace.ts';
import type { Finding, Found } from './view.ts';

const CODES: { readonly [W in OriginWhy]?: CauseCode } = {
  'policy-ingress-default-deny': 'NETPOL_INGRESS_DEFAULT_DENY',
  'policy-egress-default-deny': 'NETPOL_EGRESS_DEFAULT_DENY',
  'policy-deny': 'NETPOL_EXPLICIT_DENY',
  'policy-undecided': 'FACT_MISSING',
};

/** The step is that of the policies, which says more than the rule that does it. */
export const policyFinding = ({ hop, step }: Found): Finding | undefined => {
  const { origin } = step;
  const code = origin && CODES[origin.why];
  if (!code) return undefined;
  const told = hop.steps.findLast(
    ({ n, kind, action }) =>
      n < step.n && kind === 'policy' && (action === 'denied' || action === 'unknown'),
  );
  return { code, origin, ...(told && { step: told.n }) };
};
