/** Routes, rules of routing and neighbours, as they are mended by typing. */
import type { FibRule } from '../../kernel/fib.ts';
import type { Neigh } from '../../kernel/neigh.ts';
import type { Check, Fix } from '../../trace/remedy.ts';
import { rows } from '../../userland/print/rows.ts';
import { type Ailment, advise, checkAt, commandsAt, nameOfPlace } from './ailment.ts';

/** The lookup that a node does, asked of the node itself. */
export const routeGet = (ailment: Ailment): Check => {
  const { dst, iif, src } = ailment.detail;
  const from = iif === undefined || src === undefined ? '' : ` from ${src} iif ${iif}`;
  const target = dst ?? ailment.facts.probe.to.ip;
  return checkAt(ailment, target === undefined ? 'ip route' : `ip route get ${target}${from}`);
};

/** Brings back the way that the packet would take; undefined where nothing of it is known. */
const routeCommands = ({ about }: Ailment): string[] => {
  const { wrong, missing, device } = about;
  const { address, route } = missing ?? {};
  const replaces = route !== undefined && route.dst === wrong?.route?.dst;
  return [
    ...(address !== undefined && device !== undefined
      ? [`ip addr add ${address} dev ${device}`]
      : []),
    ...(wrong?.route && !replaces ? [`ip route del ${rows.route(wrong.route)}`] : []),
    ...(route ? [`ip route replace ${rows.route(route)}`] : []),
  ];
};

export const routeFix = (ailment: Ailment): Fix =>
  commandsAt(
    ailment,
    routeCommands(ailment),
    advise('add-route', {
      dst: ailment.detail.dst ?? ailment.facts.probe.to.ip,
      place: nameOfPlace(ailment),
    }),
  );

/** An ip rule as it is added: `from 10.244.1.0/24 lookup 100 pref 100`. */
const ruleWords = (rule: FibRule): string =>
  `${rows.fibRule(rule).replace(/^\d+:\s*/, '')} pref ${rule.priority}`;

export const rulesFix = (ailment: Ailment): Fix => {
  const { wrong, missing } = ailment.about;
  return commandsAt(
    ailment,
    [
      wrong?.ipRule && `ip rule del ${ruleWords(wrong.ipRule)}`,
      missing?.ipRule && `ip rule add ${ruleWords(missing.ipRule)}`,
    ],
    advise('mend-rules', { place: nameOfPlace(ailment) }),
  );
};

/** Undefined for an entry without an address, which nobody can write. */
export const neighReplace = ({ ip, dev, lladdr }: Neigh): string | undefined =>
  lladdr === undefined
    ? undefined
    : `ip neigh replace ${ip} lladdr ${lladdr} dev ${dev} nud permanent`;

export const neighbourFix = (ailment: Ailment): Fix => {
  const { about, detail } = ailment;
  const { device, wrong, missing } = about;
  if (wrong?.neighbour) {
    const { ip, dev } = wrong.neighbour;
    const right = missing?.neighbour && neighReplace(missing.neighbour);
    return commandsAt(
      ailment,
      [right ?? `ip neigh del ${ip} dev ${dev}`],
      advise('mend-neighbour'),
    );
  }
  if (missing?.address !== undefined && device !== undefined) {
    return commandsAt(
      ailment,
      [`ip addr add ${missing.address} dev ${device}`],
      advise('mend-owner'),
    );
  }
  return advise(detail.ip === undefined ? 'mend-neighbour' : 'mend-owner', { ip: detail.ip });
};

export const neighbourCheck = (ailment: Ailment): Check => {
  const { about, detail } = ailment;
  const { device, wrong, missing } = about;
  const dev = device === undefined ? '' : ` dev ${device}`;
  if (wrong?.neighbour) return checkAt(ailment, `ip neigh show ${wrong.neighbour.ip}${dev}`);
  if (missing?.address !== undefined) return checkAt(ailment, `ip addr show${dev}`);
  return checkAt(ailment, detail.ip === undefined ? 'ip link show' : `ip neigh show ${detail.ip}`);
};
