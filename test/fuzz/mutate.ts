/** Ways to spoil a good input: texts, values and command lines, each from a seed. */
import type { Random } from '../kernel/random.ts';

/** What people, templates, editors and attackers leave in files. */
const FRAGMENTS = [
  ...['---\n', '\n...\n', ': ', '- ', '  ', '\t', '\r\n', '\u2028', '\ufeff', '\0', '\x1b[31m'],
  ...[
    '\x9b2J',
    '\u202e',
    '{{ .Values.x }}',
    '*a',
    '&a ',
    '<<: *a\n',
    '!!binary ',
    '!!js/function ',
  ],
  ...['|\n', '>-\n', '"', "'", '[', ']', '{', '}', '#', '%YAML 1.1\n', '? ', '@', '`', '\\u0000'],
  ...['0x7fffffffffffffff', '1e999', '-0', '.nan', '08', '1_000', '12:30:45', 'yes', 'null', '~'],
  ...['__proto__: ', '"constructor": ', '网络', '👩‍👩‍👧', 'é', 'a'.repeat(3000), '['.repeat(300)],
  ...['&a [*a, *a]', '\n'.repeat(200), '10.244.0.0/16', '999.1.1.1', '::1', '0.0.0.0/0', '/33'],
];

const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 8080, 65_536, 2 ** 53, '', ' ', 'x', '10.0.0.1', '10.0.0.0/8'],
  ...['224.0.0.9', '127.0.0.1', '192.168.10.255', '10.244.0.70', '203.0.113.10', '169.254.1.1'],
  ...[
    '224.0.0.0/8',
    '127.0.0.0/8',
    '0.0.0.0/0',
    '203.0.113.0/24',
    '10.244.0.0/30',
    '10.244.1.0/32',
  ],
  ...['10.244.1.2', '255.255.255.255', '0.0.0.0', 'fd00::1', 'a'.repeat(300), '\x1b]0;x\x07', '名'],
  ...['node-1', 'pod-a', 'NaN', [], {}, [[]], [null], { '': '' }, ['x', 1], { __proto__: null }],
  ...[{ matchLabels: { a: 1 } }, { a: { b: { c: [1] } } }, '8080/tcp', 'udp/8472', 'all'],
];

const at = (text: string, random: Random): number => random.below(text.length + 1);

/** Changes a text in a few places: cut, doubled, swapped, with something else in between. */
export const mutateText = (text: string, random: Random): string => {
  let result = text;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const from = at(result, random);
    const to = Math.min(result.length, from + random.below(random.chance(0.2) ? 400 : 12));
    const [before, middle, after] = [
      result.slice(0, from),
      result.slice(from, to),
      result.slice(to),
    ];
    switch (random.below(6)) {
      case 0:
        result = before + after;
        break;
      case 1:
        result = before + random.pick(FRAGMENTS) + after;
        break;
      case 2:
        result = before + middle + middle + after;
        break;
      case 3:
        result = before + String.fromCharCode(random.below(0x250)) + after;
        break;
      case 4: {
        const lines = result.split('\n');
        const line = random.below(lines.length);
        lines.splice(line, 1, ...lines.slice(line, line + 1).map((one) => `  ${one}`));
        result = lines.join('\n');
        break;
      }
      default:
        result = random.chance(0.1) ? before : before + random.pick(FRAGMENTS) + middle + after;
    }
  }
  return result;
};

const isContainer = (value: unknown): value is Record<string, unknown> | unknown[] =>
  typeof value === 'object' && value !== null;

/** Every place of a value, as the container and its key. */
const placesOf = (value: unknown): (readonly [Record<string, unknown>, string])[] =>
  isContainer(value)
    ? Object.entries(value).flatMap(([key, inner]) => [
        [value as Record<string, unknown>, key] as const,
        ...placesOf(inner),
      ])
    : [];

const anyValue = (random: Random): unknown => structuredClone(random.pick(VALUES));

/** Changes a value in a few places: another type, another value, a key more or less. */
export const mutateValue = (value: unknown, random: Random): unknown => {
  const copy: unknown = structuredClone(value);
  for (let left = 1 + random.below(4); left > 0; left--) {
    const places = placesOf(copy);
    if (places.length === 0) return anyValue(random);
    const [container, key] = random.pick(places);
    switch (random.below(4)) {
      case 0:
        delete container[key];
        break;
      case 1:
        container[key] = anyValue(random);
        break;
      case 2: {
        const [other, otherKey] = random.pick(places);
        container[key] = structuredClone(other[otherKey]);
        break;
      }
      default:
        container[`${key}${random.pick(['x', '', 's', '\n', '.y'])}`] = anyValue(random);
    }
  }
  return copy;
};

const WORDS = [
  ...['pod-a', 'pod-b', 'pod-a:sidecar', 'default/pod-a', 'node/node-1', 'node-2', 'external', 'x'],
  ...['10.244.2.2', '10.244.2.2:80', '[fd00::1]:80', '10.96.0.1:443', '127.0.0.1', '0.0.0.0', ''],
  ...['255.255.255.255', '224.0.0.1', 'deploy/web', 'svc/web:http', 'a/b/c', ':', '/', '名/字'],
  ...[
    'trace',
    'test',
    'tour',
    'scenarios',
    'schema',
    'help',
    '--help',
    '-V',
    '-v',
    '-vv',
    '--minimal',
  ],
  ...['-o', 'json', 'text', '-p', '80', '0', '65536', '-1', '1e3', '--proto', 'tcp', 'udp', 'icmp'],
  ...[
    'sctp',
    '--size',
    '1400',
    '9000',
    '-s',
    'basics/one-pod',
    'basics/one-node',
    '--set',
    '--break',
  ],
  ...['network.plugin=bridge', 'network.backend=host-gw', 'network.podCIDR=10.0.0.0/8', 'nodes=[]'],
  ...['network.config.Backend={"Type":"vxlan"}', '=', 'a.b.c=1', '__proto__.x=1', 'expect=[1,2'],
  ...['node/node-1: ip link set eth0 down', 'node/node-2: iptables -I FORWARD -j DROP', 'wire: x'],
  ...[
    'pod/pod-a: ip route del default',
    'node/node-1: sysctl -w net.ipv4.ip_forward=0',
    'node/x: y',
  ],
  ...[
    'node/node-1: ip addr add 10.244.2.2/24 dev eth0',
    'pod/pod-b: ip link set lo down',
    ': :',
    '\x1b[2J',
  ],
  ...[
    'node/node-1: ip route add blackhole 10.244.2.0/24',
    'node/node-1: bridge fdb del',
    '--listen',
  ],
  ...[
    'declared',
    '-n',
    'kube-system',
    '--yes',
    'one-pod',
    '--color',
    '--no-color',
    '-R',
    '--',
    '--xyz=1',
  ],
];

/** A command line that somebody might type. */
export const mutateArguments = (random: Random): string[] => {
  const start = random.pick([
    ['trace', 'pod-a', 'pod-b'],
    ['trace', random.pick(WORDS), random.pick(WORDS)],
    ['test', '-s', 'basics/one-node'],
    [],
  ]);
  const args = [...start];
  for (let left = random.below(6); left > 0; left--)
    args.splice(random.below(args.length + 1), random.below(2), random.pick(WORDS));
  const typed = args.map((word) => (random.chance(0.05) ? mutateText(word, random) : word));
  // Standard input is that of whoever runs the tests.
  return typed.filter((word) => !/^(?:-f|--file=)?-$/.test(word));
};
