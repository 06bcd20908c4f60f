/** Rules of nf_tables in the words in which nft 1.0.6 lists them. */
import type {
  NftElement,
  NftEnd,
  NftExpr,
  NftFamily,
  NftOperand,
  NftRule,
  NftStatement,
  NftType,
  NftValue,
  NftVerdict,
} from './nft-table.ts';
import type { RejectWith } from './reject-with.ts';

/** Symbols of protocol numbers, as /etc/protocols of Debian 12 gives them. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'icmp',
  2: 'igmp',
  6: 'tcp',
  17: 'udp',
  33: 'dccp',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'ipv6-icmp',
  103: 'pim',
  132: 'sctp',
  136: 'udplite',
};

/** Conntrack's bits, in the order in which nft lists several. */
const FLAGS = {
  state: ['invalid', 'established', 'related', 'new', 'untracked'],
  status: ['expected', 'seen-reply', 'assured', 'confirmed', 'snat', 'dnat', 'dying'],
} as const;

const hex8 = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;

const quoted = (text: string): string => `"${text}"`;

/** The type of what an expression gives; numgen's number has none of its own. */
export const typeOf = (expr: NftExpr): NftType | 'integer' | 'fib_addrtype' | 'ct_status' => {
  switch (expr.kind) {
    case 'address':
      return expr.header === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
    case 'ip-protocol':
      return 'inet_proto';
    case 'port':
      return 'inet_service';
    case 'meta':
      return (
        { l4proto: 'inet_proto', mark: 'mark', iifname: 'ifname', oifname: 'ifname' } as const
      )[expr.key];
    case 'ct':
      return ({ state: 'ct_state', status: 'ct_status', mark: 'mark' } as const)[expr.key];
    case 'fib-type':
      return 'fib_addrtype';
    case 'numgen':
      return 'integer';
    case 'masked':
      return typeOf(expr.of);
    case 'concat':
      return expr.of[0] ? typeOf(expr.of[0]) : 'integer';
    default: {
      const never: never = expr;
      return never;
    }
  }
};

export const typesOf = (expr: NftExpr): readonly ReturnType<typeof typeOf>[] =>
  expr.kind === 'concat' ? expr.of.map(typeOf) : [typeOf(expr)];

const scalarText = (type: ReturnType<typeof typeOf>, value: string | number): string => {
  if (type === 'ifname') return quoted(`${value}`);
  if (type === 'mark') return hex8(Number(value));
  if (type === 'inet_proto') return PROTOCOLS[Number(value)] ?? `${value}`;
  return `${value}`;
};

/** One value of a type. */
export const valueText = (type: ReturnType<typeof typeOf>, value: NftValue): string =>
  typeof value === 'object'
    ? `${scalarText(type, value.from)}-${scalarText(type, value.to)}`
    : scalarText(type, value);

/** A key of one or several values. */
export const keyText = (
  types: readonly ReturnType<typeof typeOf>[],
  key: readonly NftValue[],
): string => key.map((value, at) => valueText(types[at] ?? 'integer', value)).join(' . ');

export const exprText = (expr: NftExpr): string => {
  switch (expr.kind) {
    case 'address':
      return `${expr.header} ${expr.field}`;
    case 'ip-protocol':
      return 'ip protocol';
    case 'port':
      return `${expr.header} ${expr.field}`;
    case 'meta':
      return expr.key === 'l4proto' || expr.key === 'mark' ? `meta ${expr.key}` : expr.key;
    case 'ct':
      return `ct ${expr.key}`;
    case 'fib-type':
      return `fib ${expr.field} type`;
    case 'numgen':
      return `numgen ${expr.mode} mod ${expr.mod}`;
    case 'masked':
      return `${exprText(expr.of)} & ${hex8(expr.mask)}`;
    case 'concat':
      return expr.of.map(exprText).join(' . ');
    default: {
      const never: never = expr;
      return never;
    }
  }
};

export const verdictText = (verdict: NftVerdict): string =>
  'chain' in verdict ? `${verdict.kind} ${verdict.chain}` : verdict.kind;

const flagsText = (left: NftExpr, names: readonly string[], negate: boolean): string => {
  const known: readonly string[] =
    left.kind === 'ct' && left.key !== 'mark' ? FLAGS[left.key] : names;
  return known.filter((name) => names.includes(name)).join(negate ? ' | ' : ',');
};

const operandText = (left: NftExpr, right: NftOperand, negate: boolean): string => {
  const types = typesOf(left);
  switch (right.kind) {
    case 'value':
      return valueText(types[0] ?? 'integer', right.value);
    case 'flags':
      return flagsText(left, right.names, negate);
    case 'named-set':
      return `@${right.name}`;
    case 'set':
      return `{ ${right.elements.map((element) => elementText(types, element)).join(', ')} }`;
    default: {
      const never: never = right;
      return never;
    }
  }
};

/** An element as it stands between the braces of its set or map. */
export const elementText = (
  types: readonly ReturnType<typeof typeOf>[],
  { key, verdict, data, comment }: NftElement,
  dataTypes: readonly NftType[] = [],
): string => {
  const noted = comment === undefined ? '' : ` comment ${quoted(comment)}`;
  const value = verdict ? verdictText(verdict) : data && keyText(dataTypes, data);
  return `${keyText(types, key)}${noted}${value === undefined ? '' : ` : ${value}`}`;
};

const vmapText = ({ on, map }: Extract<NftStatement, { kind: 'vmap' }>): string => {
  const types = typesOf(on);
  const elements =
    typeof map === 'string'
      ? `@${map}`
      : `{ ${map.map((element) => elementText(types, element)).join(', ')} }`;
  return `${exprText(on)} vmap ${elements}`;
};

const REJECT_TEXT: Readonly<Record<RejectWith, string>> = {
  'icmp-net-unreachable': 'icmp net-unreachable',
  'icmp-host-unreachable': 'icmp host-unreachable',
  'icmp-port-unreachable': 'icmp port-unreachable',
  'icmp-proto-unreachable': 'icmp prot-unreachable',
  'icmp-net-prohibited': 'icmp net-prohibited',
  'icmp-host-prohibited': 'icmp host-prohibited',
  'icmp-admin-prohibited': 'icmp admin-prohibited',
  'tcp-reset': 'tcp reset',
};

const rejectText = (answer: RejectWith | undefined, family: NftFamily): string => {
  if (answer === undefined) return 'reject';
  if (answer === 'icmp-port-unreachable' && family === 'ip') return 'reject';
  return `reject with ${REJECT_TEXT[answer]}`;
};

const endText = ({ ip, port }: NftEnd): string =>
  port === undefined ? ip : `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;

const MARK_OP = { or: '|', and: '&', xor: '^' } as const;

const statementText = (statement: NftStatement, family: NftFamily): string => {
  switch (statement.kind) {
    case 'match': {
      const { left, negate, right } = statement;
      // What is left after a mask has been applied is compared with an operator.
      const equal = left.kind === 'masked' ? '== ' : '';
      return `${exprText(left)} ${negate ? '!= ' : equal}${operandText(left, right, negate)}`;
    }
    case 'vmap':
      return vmapText(statement);
    case 'verdict':
      return verdictText(statement.verdict);
    case 'mark': {
      const { op, value } = statement;
      return `meta mark set ${op === 'set' ? '' : `meta mark ${MARK_OP[op]} `}${hex8(value)}`;
    }
    case 'reject':
      return rejectText(statement.with, family);
    case 'dnat':
    case 'snat':
      return `${statement.kind} ${family === 'inet' ? 'ip ' : ''}to ${endText(statement.to)}`;
    case 'dnat-map': {
      const ends = statement.map.map(({ key, to }) => `${key} : ${to.ip} . ${to.port}`);
      return `dnat ip to ${exprText(statement.on)} map { ${ends.join(', ')} }`;
    }
    case 'masquerade':
      return statement.fullyRandom ? 'masquerade fully-random' : 'masquerade';
    case 'set-element':
      return `${statement.op} @${statement.set} { ${exprText(statement.key)} }`;
    case 'counter':
      return 'counter packets 0 bytes 0';
    case 'log':
      return statement.options === undefined ? 'log' : `log ${statement.options}`;
    case 'unmodelled':
      return statement.text;
    default: {
      const never: never = statement;
      return never;
    }
  }
};

/** A rule as it stands in its chain. */
export const nftRuleText = ({ statements, comment }: NftRule, family: NftFamily): string =>
  [
    ...statements.map((statement) => statementText(statement, family)),
    ...(comment === undefined ? [] : [`comment ${quoted(comment)}`]),
  ].join(' ');
