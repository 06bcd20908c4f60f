/** A runbook as a POSIX shell script. Nothing of a name can leave its quotes or its comment. */

import type { Catalogue } from '../explain/catalogue.ts';
import type { AddressSource, Runbook, RunbookAddress, RunbookCheck } from '../explain/runbook.ts';
import { shellWord } from '../explain/shell-word.ts';
import { harmless } from './harmless.ts';
import { wrap } from './width.ts';

const WIDTH = 78;

/** Lines of comment, none of which can end: what would break a line is spelled out. */
const comment = (text: string, width = WIDTH): string[] =>
  wrap(harmless(text), width - 2).map((line) => `# ${line}`);

const word = (text: string): string => shellWord(harmless(text));

/** What runs here and asks the cluster; POSIX sh. */
const FUNCTIONS = `pod_address() {
  kubectl get pod -n "$1" "$2" -o 'jsonpath={.status.podIP}'
}

node_address() {
  kubectl get node "$1" -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'
}

# The Pods' range of a node: its tunnel has the first address, its bridge the next.
range_of() {
  kubectl get node "$1" -o 'jsonpath={.spec.podCIDR}'
}

network_of() {
  range=$(range_of "$1")
  echo "\${range%/*}"
}

first_of() {
  range=$(range_of "$1")
  echo "\${range%.*}.1"
}`;

/** What runs on a node before its checks. */
const ON_NODE = `pid_of() {
  sandbox=$(crictl pods -q --state Ready --label "io.kubernetes.pod.namespace=$1" --label "io.kubernetes.pod.name=$2" | head -n 1)
  crictl inspectp -o go-template --template '{{.info.pid}}' "$sandbox"
}
in_pod() {
  nsenter -t "$pid" -n "$@"
}
lladdr() {
  sed -n 's/.* lladdr \\([0-9a-f:]*\\).*/\\1/p' | head -n 1
}`;

/** The script; ends with a newline. */
export function runbookScript(runbook: Runbook, { runbook: words, story }: Catalogue): string {
  const { title, verdict, addresses, objects, sections } = runbook;
  if (sections.length === 0)
    return `${['#!/bin/sh', ...comment(`${title}: ${story.noPacket}`)].join('\n')}\n`;
  const paragraphs = words.head(title, verdict).flatMap((text) => [...comment(text), '#']);
  const lines = [
    '#!/bin/sh',
    ...paragraphs.slice(0, -1),
    'set -u',
    `image=\${IMAGE:-busybox}`,
    '',
    ...comment(words.onNode),
    'on_node() {',
    '  kubectl debug "node/$1" -i -q --profile=sysadmin --image="$image" -- chroot /host sh -vs',
    '}',
    '',
    FUNCTIONS,
    '',
    ...comment(words.addresses),
    ...addresses.flatMap((one) => addressLines(one, words)),
    ...objectLines(objects, words),
    '',
    'prelude() {',
    ...addresses.map(({ variable }) => `  printf "%s='%s'\\n" ${variable} "$${variable}"`),
    "  cat <<'END'",
    ON_NODE,
    'END',
    '}',
  ];
  for (const { node, checks } of sections) {
    lines.push(
      '',
      `{ prelude; cat <<'END'`,
      ...sectionLines(checks, words),
      'END',
      `} | on_node ${word(node)}`,
    );
  }
  lines.push('', ...comment(words.afterwards), '# kubectl get pods -o name | grep node-debugger-');
  return `${lines.join('\n')}\n`;
}

/** What the API server knows: no node has to be reached for it. */
function objectLines(objects: Runbook['objects'], words: Catalogue['runbook']): string[] {
  return objects.flatMap(({ steps, about, command: text, prints, ends }) => [
    '',
    ...comment(`${words.steps(steps)}${ends ? ` (${words.ends})` : ''}, ${about}`),
    harmless(text),
    ...prints.map((line) => `#> ${harmless(line)}`),
  ]);
}

function addressLines(
  { variable, ip, owner, source }: RunbookAddress,
  words: Catalogue['runbook'],
): string[] {
  const said = [ip, owner, noteOf(source, words)].filter((text) => text !== undefined);
  return [...comment(said.join(', ')), `${variable}=${assigned(ip, source)}`];
}

function assigned(ip: string, source: AddressSource): string {
  switch (source.kind) {
    case 'pod':
      return `$(pod_address ${word(source.namespace)} ${word(source.name)})`;
    case 'node':
      return `$(node_address ${word(source.name)})`;
    case 'range':
      return `$(${source.part === 'network' ? 'network_of' : 'first_of'} ${word(source.node)})`;
    case 'given':
    case 'made-up':
      return word(ip);
    default:
      return source satisfies never;
  }
}

function noteOf({ kind }: AddressSource, words: Catalogue['runbook']): string | undefined {
  if (kind === 'given') return words.given;
  return kind === 'made-up' ? words.madeUp : undefined;
}

/** The checks of one visit; a Pod's run in its namespace, which its process id names. */
function sectionLines(checks: readonly RunbookCheck[], words: Catalogue['runbook']): string[] {
  let netns: string | undefined;
  return checks.flatMap((check) => {
    const entered = check.netns === netns ? [] : enter(check.netns);
    netns = check.netns;
    const steps = words.steps(check.steps);
    const place = check.ends ? `${steps} (${words.ends})` : steps;
    return [
      '',
      ...entered,
      ...comment(`${place}, ${check.about}`),
      command(check),
      // Not broken: it is held against what the command prints.
      `#> ${harmless(check.prints)}`,
      ...(check.keeps === undefined ? [] : [`${check.keeps}=$(${command(check)} | lladdr)`]),
    ];
  });
}

function enter(netns: string): string[] {
  if (netns === 'host') return [];
  const [namespace = '', pod = ''] = netns.split('/');
  return [`pid=$(pid_of ${word(namespace)} ${word(pod)})`];
}

function command({ netns, command: text }: RunbookCheck): string {
  return harmless(netns === 'host' ? text : `in_pod ${text}`);
}
