/** The story in English. */
import type { Origin } from '../../kernel/origin.ts';
import type { Catalogue, Values } from '../catalogue.ts';
import { placeOf } from '../step.ts';
import { advice } from './en/advice.ts';
import { causes } from './en/causes.ts';
import { count, list, recordText } from './en/phrases.ts';
import { policyLine } from './en/policy.ts';
import { ruleMiss } from './en/rule-miss.ts';
import { steps } from './en/steps.ts';
import { unmodelled } from './en/unmodelled.ts';

export const en: Catalogue = {
  language: 'en',
  steps,
  causes,
  advice,
  ruleMiss,
  unmodelled,
  verdicts: {
    delivered: 'delivered and answered',
    refused: 'refused: it arrived, and nothing listens there',
    rejected: 'rejected: an error came back from the way',
    'rejected-here': "rejected: the sender's own kernel says no",
    'rejected-unheard': 'rejected: an error was sent, and the sender does not hear it',
    dropped: 'dropped: it vanished silently',
    unresolved: 'no connection: the name has no address',
    unsent: 'dropped: there is nothing to send, or nobody to send it to',
    looped: 'looped: it passes the same place again and again',
    'reply-lost': 'the request arrived, the answer did not come back',
    ambiguous: 'ambiguous: it depends on which way is picked',
    inconclusive: 'inconclusive: a needed fact is missing or not modelled',
  },
  symptoms: {
    connected: 'connected',
    timeout: 'timeout',
    'connection refused': 'connection refused',
    'connection reset': 'connection reset',
    'no route to host': 'no route to host',
    'network unreachable': 'network unreachable',
    'invalid argument': 'invalid argument',
    'permission denied': 'permission denied',
    'message too long': 'message too long',
    'name not found': 'name not found',
    'hangs on large data': 'hangs on large data',
    'protocol not available': 'protocol not available',
    unknown: 'unknown',
  },
  packets: {
    syn: 'SYN',
    synack: 'SYN/ACK',
    rst: 'RST',
    ack: 'ACK',
    data: 'data',
    datagram: 'datagram',
    echo: 'echo request',
    'echo-reply': 'echo reply',
    'icmp-error': 'ICMP error',
  },
  whys: {
    loopback: 'the loopback device',
    address: 'an address',
    'connected-route': 'the connected route of an address',
    'local-route': 'the local route of an address',
    'broadcast-route': 'the broadcast route of an address',
    'default-rule': 'a rule that every namespace has',
    'sysctl-default': 'a default of the kernel',
    'pod-container': 'a container of a Pod',
    'pod-veth': "a Pod's veth pair",
    'pod-address': "a Pod's address",
    'pod-default-route': "a Pod's default route",
    'pod-cluster-route': "a Pod's route to the cluster's range",
    'pod-range-route': "a range of the node's Pods outside the bridge's subnet",
    'pod-sysctl': "a Pod's setting",
    'bridge-device': 'the bridge of the Pods',
    'bridge-gateway': "the bridge's address, the Pods' gateway",
    'bridge-port': 'a port of the bridge',
    'ip-masq': 'the masquerade rules of a Pod',
    'tunnel-device': 'the tunnel device',
    'tunnel-address': "the tunnel device's address",
    'tunnel-neighbour': "a peer's tunnel MAC address",
    'tunnel-fdb': "a peer's node behind its tunnel MAC address",
    'peer-route': "the route to another node's Pods",
    'blackhole-route': "a blackhole for the node's own range",
    'forward-accept': 'forwarding of Pod traffic',
    'masquerade-rule': 'masquerading of traffic that leaves the cluster',
    'localnet-guard': 'a guard of 127.0.0.0/8 against other machines',
    'proxy-chain': 'the way into the chains of kube-proxy',
    'proxy-mark': 'the mark for what kube-proxy masquerades',
    'proxy-masquerade': 'masquerading of what kube-proxy marked',
    'proxy-invalid-drop': 'packets that conntrack cannot place',
    'proxy-forward': 'forwarding of Service traffic',
    'node-port-entry': 'the way to node ports',
    'service-cluster-ip': 'the ClusterIP of a Service',
    'service-external-ip': 'an external IP of a Service',
    'service-load-balancer': "a load balancer's address of a Service",
    'service-node-port': 'the node port of a Service',
    'service-health-check': 'the health check port of a Service',
    'service-no-endpoints': 'a Service without endpoints',
    'service-no-local-endpoints': 'a Service without endpoints on this node',
    'service-port-undefined': 'a port that the Service does not have',
    'cluster-ip-unallocated': 'addresses of Services that no Service has',
    'service-source-range': 'a source range of a Service',
    'service-firewall': "senders outside a Service's source ranges",
    'service-cluster-masquerade':
      "masquerading of what reaches a ClusterIP from outside the Pods' range",
    'service-external-masquerade': 'masquerading of what reaches a Service from outside',
    'service-local-pod': "a Pod of this node calling a Service's outer address",
    'service-local-node': "this node calling a Service's outer address",
    'service-external-policy': 'the external traffic policy of a Service',
    'service-affinity': 'the session affinity of a Service',
    'service-backend': "one of a Service's endpoints, picked by chance",
    'endpoint-hairpin': 'masquerading of an endpoint that calls itself through its Service',
    'endpoint-address': 'the address of an endpoint',
    'host-port-entry': 'the way to host ports',
    'host-port': 'a host port of a Pod',
    'host-port-masquerade': "masquerading of a host port's own node and Pod",
    'balancer-route': "the load balancer's route to a Service",
    'service-address': 'an address of a Service',
    'node-nic': "a machine's network card",
    'node-address': "a machine's address",
    'node-default-route': "a machine's default route",
    'node-sysctl': "a node's setting",
    'gateway-route': "a route of the network's router",
    'unrouted-range': "a range of the cluster that the network's router has no way to",
    listener: "a container's listening socket",
    'node-listener': "a node's listening socket",
    'external-listener': 'a host outside',
    'policy-established': 'connections that policies have let through before',
    'policy-own-node': 'a node may always reach its own Pods',
    'policy-self': 'a Pod may always reach itself',
    'policy-dispatch': 'to the policies of the Pod',
    'policy-accept': 'a rule of a policy that lets through',
    'policy-pass': 'a rule of a policy that leaves it to NetworkPolicies',
    'policy-deny': 'a rule of a policy that denies',
    'policy-ingress-default-deny': 'isolated for ingress, and no rule admits',
    'policy-egress-default-deny': 'isolated for egress, and no rule admits',
    'policy-undecided': 'a rule of a policy that cannot be decided offline',
    'fault-command': 'a command of the scenario',
    'break-command': 'a command of the command line',
    'arp-learned': 'learned by ARP',
    'bridge-learned': 'learned by the bridge',
  },
  nearMisses: {
    'shorter-prefix': 'shorter prefix',
    'higher-metric': 'higher metric',
    'later-rule': 'asked later',
    'other-table': 'in a table that is asked later',
    'device-down': 'its device is down',
    'other-device': 'on another device',
    'other-address': 'for another address',
    'rule-condition': 'one condition fails',
  },
  assumptions: {
    'plugin-default': (subject) => `The network plugin is ${subject}.`,
    'plugin-found': (subject, _, origin) =>
      `The network plugin is ${subject}, as the input shows${evidenceText(origin)}.`,
    'plugin-traced-as-bridge': (subject, _, origin) =>
      `The input shows ${subject}${evidenceText(origin)}, which is not modelled yet; traced as bridge.`,
    'plugin-enforces': (subject, _, origin) =>
      `${subject}${evidenceText(origin)} enforces policies; in its place an agent with rules of nf_tables does here (policyEngine nftables).`,
    'nodes-default': (subject) => `The nodes are ${subject}.`,
    'node-made': (subject) => `Node ${subject} exists, since Pods name it.`,
    'address-invented': (_, v) =>
      `${ofAll('Pod', v)} no address and ${v['count'] === 1 ? 'gets' : 'get'} one in the plugin's order.`,
    'cluster-ip-invented': (_, v) =>
      `${ofAll('Service', v)} no ClusterIP and ${v['count'] === 1 ? 'gets' : 'get'} the next free one of the Services' range.`,
    'node-port-invented': (_, v) =>
      `${ofAll('Service', v)} no NodePort and ${v['count'] === 1 ? 'gets' : 'get'} the next free one from 30000 up.`,
    'balancer-assumed': (_, v) =>
      `${ofAll('Service', v)} no address of a load balancer and ${v['count'] === 1 ? 'gets' : 'get'} one that is nobody's.`,
    'placement-invented': (_, v) =>
      `${ofAll('Pod', v)} no node and ${v['count'] === 1 ? 'is' : 'are'} placed as the scheduler might.`,
    'range-widened': (subject, v) =>
      `${subject} lies outside the ${v['range'] ?? 'range'} ${v['from'] ?? ''}, which becomes ${v['cidr'] ?? 'wider'}.`,
    'range-apart': (subject, v) =>
      `Pods have addresses outside the podCIDR ${subject}: ${spelt(v)}. Each range gets routes of its own.`,
    'node-ranges': (subject, v) => {
      const ranges = spelt(v);
      if (v['given'] !== undefined)
        return `Pods of ${subject} have addresses outside its range ${v['given']}: ${ranges}. Each gets routes of its own.`;
      const bridge =
        v['gateway'] === undefined ? '' : ` The bridge has ${v['gateway']}, which is made up.`;
      return `Pods of ${subject} and of other nodes have addresses among each other: ${subject} has ${ranges}, each with a route.${bridge}`;
    },
    'range-default': (subject, v) => `The ${subject} is ${v['cidr'] ?? ''}.`,
    'listener-assumed': (subject, v) =>
      `${subject} shows no ports at all: it listens on ${v['port'] ?? 'the port'}.`,
    'listener-declared': (subject, v, origin) =>
      `${subject} listens on ${v['port'] ?? 'the port'}, since it says so${evidenceText(origin)}.`,
    'node-listeners': (subject, v) =>
      `${subject} listens on ${v['ports'] ?? 'its own ports'}, and on what Pods on its network show.`,
    'external-answers': (subject) => `${subject} is outside the cluster, and answers.`,
    'dns-assumed': (subject, { ip, pod, node }) =>
      `The input has no DNS Service: ${subject} (${ip}) is assumed, with Pod ${pod} on ${node}.`,
    'dns-outside': (subject) =>
      `${subject} is a name outside of the cluster: it is assumed to be that of the host outside.`,
    'dns-root': (subject) =>
      `${subject} is asked for outside as it is, last of all: no top-level domain is assumed to be called so.`,
    'pod-template-hash': () =>
      "Pod names of Deployments carry a hash of ours; the cluster's own cannot be computed offline.",
    representative: (subject, v) =>
      `${subject} has ${v['replicas'] ?? 'several'} Pods; ${v['pod'] ?? 'the first'} stands for them.`,
    'not-running-ready': (subject) => `${subject} is not ready; that matters to Services only.`,
    'config-not-modelled': (subject) => `${subject} is not modelled; traced as if it were not set.`,
    'underlay-default': (subject) => `The nodes' network is ${subject}.`,
    'port-chosen': (subject, v, origin) =>
      v['port'] === undefined
        ? `No port was asked for, and ${subject} shows none: an ICMP echo.`
        : `No port was asked for: ${v['port']} is the first that ${subject} shows${evidenceText(origin)}.`,
  },
  misuses: {
    'unknown-source': ({ from }) => ({
      message: `nothing in this cluster has the address ${from}`,
      hint: 'A trace starts at a Pod, a workload, a node or external.',
    }),
    'source-port': ({ from }) => ({
      message: `${from}: a source has no port to ask for`,
      hint: 'Name the container, or leave out what follows the colon.',
    }),
    'port-needed': ({ to, protocol }) => ({
      message: `${to} shows no ${protocol} port, and none was asked for`,
      hint: 'Give one with -p, or behind the target: TARGET:PORT.',
    }),
    'port-for-echo': () => ({
      message: 'an ICMP echo has no port',
      hint: 'Leave the port out, or ask with --proto tcp or udp.',
    }),
    'two-ports': ({ to, port }) => ({
      message: `${to} names a port, and port ${port} was asked for`,
      hint: 'Give one of them.',
    }),
    'repeat-one-way': ({ backend }) => ({
      message: `several probes take all ways in turn, and backend ${backend} is one way`,
      hint: 'Leave out one of them: which backend a probe comes to is what repeating it shows.',
    }),
    'backend-without-service': ({ to }) => ({
      message: `backend says which endpoint a Service picks, and ${to} is no Service`,
      hint: 'Leave backend out, and name the Pod itself.',
    }),
    'unknown-backend': ({ to, backend, backends }) => ({
      message: `${to} has no backend ${backend}`,
      hint: `It has ${spelledOut(backends)}.`,
    }),
  },
  report: {
    silent: 'states no expectations',
    unanswerable: 'cannot be asked',
    skipped: 'left out',
    leftOut: (n) => `${n} left out`,
    expected: 'expected',
    found: 'found',
    summary: (files, expectations) =>
      `${count(files, 'file')}, ${count(expectations, 'expectation')}:`,
    hold: (n) => `${n} ${n === 1 ? 'holds' : 'hold'}`,
    differ: (n) => `${n} ${n === 1 ? 'does' : 'do'} not`,
    withoutAny: (files) => `${count(files, 'file')} without any`,
    withErrors: (files) => `${count(files, 'file')} with errors`,
    nothingStated: 'no file states an expectation',
    nothingGiven: 'there is nothing to test',
    nothingHint:
      'Give scenarios with spec.expect (k8snet scenarios basics/one-pod shows one), or lay Expectations over manifests (-e).',
    noMatch: (pattern) => `no expectation matches ${JSON.stringify(pattern)}`,
    update: {
      changed: (place, field, before, after) => `updated ${place}: ${field} ${before} → ${after}`,
      nothing: 'nothing to update',
      refused: (field, expected, found) =>
        `not updated: ${field} was expected to be ${expected}, and is ${found}`,
      refusedHint:
        'Outcomes, and what is no longer seen at all, are changed by hand: nothing was written.',
      matrix: 'not updated: who may talk to whom is otherwise than expected',
      matrixHint: 'That is decided by people, and changed by hand: nothing was written.',
      unwritable: (file, why) => `cannot write ${file}: ${why}`,
      problems: {
        'not-found': {
          message: 'the value does not stand in the file as a value of its own',
          hint: 'It is merged in from an anchor, or the file has changed; change it by hand.',
        },
        shared: {
          message: 'the value has an anchor or a tag, or is an alias',
          hint: 'Others mean it, too; change it by hand.',
        },
        layout: {
          message: 'the value is a block of text, or a list with comments in it',
          hint: 'Its layout would not survive; change it by hand.',
        },
        changed: {
          message: 'the file would not mean what it should',
          hint: 'Change it by hand; please report it with the file.',
        },
        syntax: { message: 'the file cannot be parsed', hint: 'Mend it first.' },
      },
      builtIn:
        'only files can be updated or watched: no built-in scenario, standard input or revision',
      onlyText: '--update and --watch write text: leave out -o',
    },
    watching: (files) => `watching ${count(files, 'file')}; Ctrl-C ends`,
    noMatchHint: (names) =>
      names.length === 0 ? 'There are none.' : `There are, for example: ${names.join(', ')}`,
  },
  gists: {
    loopback: 'One network namespace: the packet never leaves its loopback device.',
    bridge: 'One node: two veth pairs and a bridge between them, no router.',
    veth: 'One node: the bridge and one veth pair, between the node itself and its Pod.',
    node: "One node: through the node's own routing, no wire.",
    routed: "Two machines: routed over the nodes' network as it is, without a tunnel.",
    tunnel: "Two nodes: routed into a tunnel, carried by the nodes' network, unpacked again.",
    outside: 'Between the cluster and the outside: through the router of the nodes.',
  },
  places: {
    pod: (holder, members) =>
      `network namespace held by its ${holder} container, ${members.length > 1 ? 'shared' : 'joined'} by ${list(members)}`,
    node: "the node's own network namespace",
    router: "the router of the nodes' network",
    outside: 'a host outside the cluster',
    other: 'a network namespace of its own',
  },
  scenario: {
    description: (from, to, verdict) => `The least that ${from} to ${to} needs; ${verdict}.`,
    failed: (redacted) =>
      redacted
        ? 'no scenario with neutral names and addresses gives the same trace'
        : 'no scenario made of this input gives the same trace',
    hint: 'Without --redact the names and addresses stay.',
  },
  runbook: {
    head: (question, verdict) => [
      `${question}: the checks of its way on the real cluster, step by step.`,
      `Below each command stands, as a comment, what it prints where all is as in the trace (${verdict}). The first one that prints something else is where the real path parts from it.`,
      'It reads and changes nothing: ip, bridge, iptables -S, sysctl, ss. It needs kubectl with the right to get Pods and Nodes and to debug nodes. Each visit to a node makes one debugging Pod, privileged, so that it can enter namespaces, with the tools of the node itself (chroot /host). The last lines say how to find these Pods afterwards.',
      'Pods are looked into from their node (crictl, nsenter), since most images have no tools. Where a node has no crictl, this looks into a Pod: kubectl debug POD -it --image=IMAGE --target=CONTAINER -- sh',
      'Neighbours and learned rows are there once a packet was sent: let the client try once just before. A neighbour may as well be REACHABLE, STALE or DELAY.',
      'MAC-1, VETH-1 and the like stand for names that are drawn by chance on a real node: the same name is the same thing. Prefixes and addresses in the comments are those of the trace.',
    ],
    onNode: 'How a node is reached. With ssh instead: ssh "root@$1" sh -vs',
    addresses: 'Addresses. Where the trace made one up, the cluster is asked.',
    given: 'of the input',
    madeUp: 'made up by the trace: put the real one here',
    steps: (numbers) => `${numbers.length === 1 ? 'step' : 'steps'} ${list(numbers.map(String))}`,
    ends: 'the trace ends here',
    lineWith: (text) => `a line with: ${text}`,
    listens: (any, own) => `a line with: ${any}, *:${any.split(':').at(-1)} or ${own}`,
    nothing: 'nothing',
    error: 'an error of RTNETLINK',
    afterwards: 'The debugging Pods, which have ended, to be deleted by whoever made them:',
  },
  story: {
    request: (packet) => `There: ${packet}`,
    reply: (packet) => `Back: ${packet}`,
    steps: (first, last) => `steps ${first} to ${last}`,
    sameWay: 'the same way',
    otherWay: 'another way',
    oneNamespace:
      'Containers of a Pod share one network namespace, as `docker run --net=container:ID` makes it: one IP address, one port space, one localhost.',
    applicationSees: (symptom) => `application sees: ${symptom}`,
    hops: (there, back) =>
      back === undefined
        ? `${count(there, 'hop')} there`
        : `${count(there, 'hop')} there, ${back} back`,
    bytes: (bytes) => count(bytes, 'byte'),
    row: 'row',
    policy: 'policy',
    enforced: (is) => (is ? 'policies enforced' : 'policies not enforced'),
    policyLine,
    nearMiss: 'near miss',
    ipRule: 'ip rule',
    path: 'reached by',
    by: 'by',
    asked: 'asked',
    answered: 'answered',
    learned: 'learned',
    isBehind: (mac, port) => `${mac} is behind port ${port}`,
    copy: 'copy to',
    copies: 'copies to',
    others: (n, segment) => `${count(n, 'more copy', 'more copies')} on ${segment}`,
    conntrack: 'conntrack',
    cause: 'Cause',
    causeBy: 'By',
    fix: 'Fix',
    check: 'Check',
    ways: { backend: 'Backends', node: 'Nodes', path: 'Ways' },
    toldAbove: 'told above',
    either: (several) => several.join(' or '),
    wayFate: (disposition, cause) =>
      cause === undefined ? disposition : `${disposition} (${cause})`,
    through: (nodes) =>
      nodes.length > 3 ? `through any of ${nodes.length} nodes` : `through ${nodes.join(' or ')}`,
    moreWays: (counts) =>
      `and ${list(counts.map(([disposition, n]) => `${n} more ${disposition}`))}`,
    notWalked: (n) => `and at least ${n} more, which nobody looked at: there are too many`,
    firstWay: (name) => `${name}, the first that chance may pick; nobody looked at the others`,
    repeat: {
      title: (n) => `${n} probes, one after the other`,
      about:
        'Each is a new connection from the next source port. Where chance decides, the ways are taken in turn. In brackets: steps more or fewer than the first.',
      columns: {
        n: '#',
        port: 'port',
        target: 'to',
        seen: 'server sees',
        fate: 'fate',
        steps: 'steps',
      },
      affinity: {
        pinned: 'Affinity holds: chance picks once, and later probes go where that one went.',
        none: 'No affinity: every probe may go to any of them, whatever the one before did.',
        'no-choice': 'Nothing to hold on to: no probe had a choice.',
        unknown: 'Whether there is affinity does not show: no two probes came the same way.',
      },
    },
    seen: 'Source',
    seesClient: (source) => `The server sees the client's own address, ${source}.`,
    seesOther: (source, client, place, step, by) =>
      `The server sees ${source}, not ${client}: rewritten on ${place}${by === undefined ? '' : ` by ${by}`} (step ${step}).`,
    tried: 'Tried',
    fared: (verdict, symptom) => `${verdict}; the application sees ${symptom}.`,
    triedFix: {
      mended: (fared) => `With the fix: ${fared}`,
      'not-enough': (fared) => `The fix is not enough: ${fared}`,
      advice: () => 'The fix is advice, nothing that could be tried here.',
      refused: (_, problem) => `The fix cannot be applied: ${problem}`,
      repeated: () => 'That is the fix which was just tried: it does not help.',
    },
    nothingToMend: 'There is nothing to mend.',
    assumed: 'Assumed',
    atStep: (n) => `step ${n}`,
    noPacket: 'No packet was sent.',
    resolution: {
      title: (name) => `name ${name}`,
      about: ({ name, by, addresses, resolvConf }) => {
        if (by === 'hosts') return `${addresses[0] ?? ''}, by /etc/hosts: nobody is asked`;
        const { policy, nameservers, searches, ndots, node } = resolvConf;
        const records = by === 'records' ? 'by the records, without packets; ' : '';
        const servers =
          nameservers.length === 0
            ? node
              ? "the node's own name servers"
              : 'no name server'
            : `${node ? "the node's own, then " : ''}${nameservers.join(' ')}`;
        const dots = name.split('.').length - 1;
        const order =
          name.endsWith('.') || searches.length === 0
            ? ''
            : `, search ${searches.join(' ')} ${dots >= ndots ? 'last' : 'first'} (ndots ${ndots})`;
        const whose = policy === 'Node' ? 'resolv.conf' : `resolv.conf of dnsPolicy ${policy}`;
        return `${records}${whose}: ${servers}${order}`;
      },
      answered: (rcode, answers) => {
        if (answers.length > 0) return answers.map(recordText).join(', ');
        return rcode === 'NOERROR' ? 'no such record' : rcode;
      },
      forwarded: (name) => `CoreDNS asks outside for ${name}`,
    },
    before: 'Before',
    without: {
      faults: 'Without the faults',
      overrides: 'Without --set',
      'faults-and-overrides': 'Without the faults and --set',
    },
    faredBefore: (without, verdict, symptom) =>
      `${without}: ${verdict}; the application sees ${symptom}.`,
    sameSteps: 'Every step is the same.',
    parted: (step, before, now) =>
      `They part ${step === undefined ? 'at the end' : `at step ${step}`}: before, ${before ?? 'it had ended'}; now, ${now ?? 'it has ended'}.`,
    warm: (newConnection) =>
      newConnection
        ? 'The second probe: a new connection from the next port, which conntrack and nat know nothing of.'
        : 'The second probe, out of the same socket: once it was answered, conntrack calls it ESTABLISHED, and the nat table is not consulted again.',
    onlyChanges: 'Shown is only what is otherwise than the first time.',
    unchanged: 'Nothing is otherwise than the first time.',
    was: 'before',
    gone: 'gone',
    isNew: 'new',
    cost: 'Cost',
    first: 'first',
    second: 'second',
    columns: { where: 'where', about: 'step', what: 'what', remark: 'remark' },
    costs: {
      steps: 'steps',
      arpExchanges: 'ARP questions',
      arpFrames: 'frames for them',
      floods: 'floods',
      natLookups: 'nat lookups',
      newConnections: 'new conntrack rows',
    },
  },
};

const MOST_NAMES = 10;

/** `web-1, web-2 and 40 more`. */
function spelledOut(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return more > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more` : list(names);
}

/** The ranges of a note: `10.0.0.0/26, 10.0.0.128/26 and 3 more`. */
function spelt({ ranges = '', more = 0 }: Values): string {
  return more === 0 ? String(ranges) : `${ranges} and ${more} more`;
}

/** `3 of the 4 Pods have`. */
function ofAll(kind: string, values: Values): string {
  const { count: some = 0, of: all = some } = values;
  const has = some === 1 ? 'has' : 'have';
  if (some === all)
    return `${some === 1 ? `The one ${kind}` : some === 2 ? `Both ${kind}s` : `All ${all} ${kind}s`} ${has}`;
  return `${some} of the ${all} ${kind}s ${has}`;
}

/** ` (containerPort, shop.yaml:12:9)`. */
function evidenceText(origin: Origin | undefined): string {
  const { object, at } = origin ?? {};
  const place = at && placeOf(at);
  const parts = [object?.field, place].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
