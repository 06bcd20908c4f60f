/**
 * The names that a resolver asks for, in order, until one is found (glibc 2.36,
 * resolv/res_query.c: __res_context_search).
 */
import type { ResolvConf } from './resolv-conf.ts';

const joined = (name: string, domain: string): string => {
  const suffix = domain.replace(/\.$/, '');
  return suffix === '' ? name : `${name}.${suffix}`;
};

/**
 * A name with a dot at its end is asked for as it is. One with `ndots` dots or more is asked for as
 * it is first, any other one last; in between come the search domains in their order. A name that
 * is on the list twice is asked for once.
 */
export const searchList = (
  typed: string,
  { searches, ndots }: Pick<ResolvConf, 'searches' | 'ndots'>,
): string[] => {
  if (typed.endsWith('.')) return [typed.slice(0, -1)];
  const dots = typed.split('.').length - 1;
  const searched = searches.map((domain) => joined(typed, domain));
  return [...new Set(dots >= ndots ? [typed, ...searched] : [...searched, typed])];
};
