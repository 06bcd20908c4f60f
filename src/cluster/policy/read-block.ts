/** Ranges of addresses that policies name: canonical CIDRs of both families. */
import { parseSloppyCidr, parseUserCidr, parseUserIp, type UserCidr } from '../../wire/parse-ip.ts';
import { type Field, fieldAt, listOf, placeBelow, textOf, warn } from '../field.ts';
import { isWritten, reportUnknown } from './known-fields.ts';
import type { PolicyPeer } from './policy.ts';

/** A range as a policy writes it; undefined, with a warning, where it is none. */
export const readCidr = (field: Field): UserCidr | undefined => {
  const text = textOf(field);
  if (text === undefined) return undefined;
  const parsed = parseUserCidr(text.trim()) ?? parseSloppyCidr(text.trim());
  if (!parsed) {
    const ip = parseUserIp(text.trim());
    warn(
      field,
      'bad-cidr',
      `is ${JSON.stringify(text)}, which is no range such as 203.0.113.0/24; it matches nothing`,
      ip && `For the one address write ${ip.ip}/${ip.family === 4 ? 32 : 128}.`,
    );
    return undefined;
  }
  if (parsed.cidr !== text)
    warn(field, 'cidr-not-canonical', `is ${JSON.stringify(text)}; it counts as ${parsed.cidr}`);
  return parsed;
};

/** Whether all of the inner range lies in the outer one. */
export const isInside = (inner: UserCidr, outer: UserCidr): boolean =>
  inner.family === outer.family &&
  inner.prefix >= outer.prefix &&
  parseUserCidr(`${inner.ip}/${outer.prefix}`)?.cidr === outer.cidr;

const readExcept = (field: Field, block: UserCidr): string[] => {
  const except = readCidr(field);
  if (!except) return [];
  if (isInside(block, except)) {
    warn(field, 'except-all', `is ${except.cidr}, which leaves nothing of ${block.cidr}`);
    return [block.cidr];
  }
  if (isInside(except, block)) return [except.cidr];
  warn(
    field,
    'except-outside',
    `is ${except.cidr}, which does not lie inside ${block.cidr}; it cuts nothing`,
  );
  return [];
};

/** An ipBlock of a NetworkPolicy's peer (networking/v1, Kubernetes v1.34). */
export const readBlock = (field: Field, peer: Field): PolicyPeer[] => {
  reportUnknown(field, ['cidr', 'except'], { ports: 'ports stand beside from and to.' });
  const cidr = fieldAt(field, 'cidr');
  if (!isWritten(cidr)) warn(field, 'missing-field', 'has no cidr, and matches nothing');
  const block = readCidr(cidr);
  if (!block) return [];
  const except = listOf(fieldAt(field, 'except')).flatMap((item) => readExcept(item, block));
  return [{ kind: 'block', cidr: block.cidr, except, place: placeBelow(peer) }];
};
