/** Advice in English: what a person has to do or decide. What goes with it comes after a colon. */
import type { Catalogue, Values } from '../../catalogue.ts';

const onPlace = ({ place }: Values): string => (place === undefined ? '' : ` on ${place}`);

/** The key that holds the MTU of the Pods. */
const mtuKey = ({ plugin }: Values): string =>
  plugin === 'flannel'
    ? "delegate.mtu of flannel's CNI configuration"
    : "mtu of the plugin's configuration";

export const advice: Catalogue['advice'] = {
  'see-why-not-running': () => 'See why the Pod does not run',
  'use-known-address': ({ near, pod }) =>
    near === undefined
      ? 'Use the address of a running Pod'
      : `Use the address of a running Pod; ${near} is that of ${pod ?? 'one'}`,
  'use-known-name': ({ near, namespace, short }) =>
    near === undefined
      ? 'Use the name of a Service, with its namespace (service.namespace)'
      : namespace === undefined
        ? `Did you mean ${near}?`
        : `${short} is in namespace ${namespace}: use ${near}`,
  'state-name': ({ name }) =>
    `Trace to the address of ${name}, or write it into hostAliases of the Pod`,
  'use-one-address': () => 'Take the address away from one of the two.',
  'use-host-address': () => 'Use the address of a Pod, a node or a host.',
  'use-routable-address': () => 'Use a routable address as source and destination.',
  'other-source': ({ source }) =>
    `Let no other machine have ${source ?? 'the source address'}, or translate to it.`,
  'remake-pod': () => 'Delete the Pod, so that the CNI plugin sets it up again',
  'remake-pods': ({ node }) =>
    `Delete the Pods of ${node ?? 'the node'}, so that the CNI plugin sets them up again, and the device with the first one.`,
  'restart-agent': ({ node }) => `Restart the agent of the network plugin on ${node ?? 'the node'}`,
  'mend-link': (values) => `Set the device${onPlace(values)} up, and what it is plugged into.`,
  'add-route': (values) =>
    `Add a route to ${values['dst'] ?? 'the destination'}${onPlace(values)}.`,
  'add-default-route': () =>
    'Let the plugin give its Pods a default route (isDefaultGateway), and make the Pods anew.',
  'mend-rules': (values) => `Let the rules of routing${onPlace(values)} lead to the right table.`,
  'mend-neighbour': () => 'Correct the neighbour entry of the machine that sent the frame.',
  'mend-owner': ({ ip }) =>
    `Bring the owner of ${ip ?? 'the address'} up, or correct the route that names it.`,
  'mend-firewall': (values) => `Let the firewall${onPlace(values)} accept the packet.`,
  'same-tunnel': () => 'Give every node the same VNI and port in net-conf.json.',
  'find-loop': () => 'Look for a routing loop, or raise the TTL of the sender.',
  'lower-mtu': (values) =>
    values['plugin'] === undefined
      ? `Send no more than ${values['mtu'] ?? 'the path carries'} bytes at once, or let the packet be fragmented.`
      : `Lower the MTU of the Pods to ${values['mtu'] ?? 'what the path carries'} (${mtuKey(values)}), and make the Pods anew.`,
  'open-wire': ({ traffic = 'everything', node = 'the nodes', peer = 'the others' }) =>
    `Let ${traffic} pass between ${node} and ${peer}, in the firewall or security group of their network.`,
  'start-server': ({ port, protocol, shown }) =>
    `Start a server on ${protocol ?? ''} port ${port ?? ''}, or connect to one that is there${shown === undefined ? '' : ` (${shown})`}.`,
  'free-port': ({ port, process }) =>
    `Give one of the two another port than ${port ?? 'this one'}, which ${process ?? 'the other one'} has.`,
  'listen-on-all': ({ process }) => `Let ${process ?? 'the server'} listen on 0.0.0.0.`,
  'declare-port': ({ port, protocol }) =>
    `Look at the Pod, and declare ${protocol ?? ''} port ${port ?? ''} if something listens there.`,
  masquerade: ({ node, plugin }) =>
    `Let ${node ?? 'the nodes'} masquerade what leaves the cluster (${plugin === 'flannel' ? 'flanneld --ip-masq' : 'ipMasq of the bridge plugin'}).`,
  'one-way': () => 'Let both directions of the connection pass the same nodes.',
  'same-translator': () =>
    'Lead the answer through the machine that translated the request, and past any other that translates.',
  'use-known-service': ({ near, service }) =>
    near === undefined
      ? 'Use the address of a Service'
      : `Use the address of a Service; ${near} is that of ${service ?? 'one'}`,
  'use-declared-port': ({ service, ports }) =>
    ports === undefined || ports === ''
      ? 'Ask for a port that the Service declares, or declare this one.'
      : `Ask for a port that ${service ?? 'the Service'} declares, ${ports}, or declare this one.`,
  'expose-service': () =>
    'Give the Service a way in from outside: type NodePort or LoadBalancer, or an external IP.',
  'select-pods': () => 'Let the selector of the Service name labels that its Pods have',
  'see-why-not-ready': ({ count, pod }) =>
    `The selector finds ${count === 1 ? `one Pod, ${pod ?? ''}, which is` : `${count ?? 'some'} Pods, which are`} not ready; see why`,
  'correct-target-port': ({ name, near }) =>
    near === undefined
      ? `Let a container name its port ${name ?? 'as the Service does'}, or give targetPort as a number.`
      : `Let targetPort be a port that the Pods have (${near}), not ${name ?? 'another'}.`,
  'spread-policy': ({ field }) =>
    `Let ${field ?? 'externalTrafficPolicy'} be Cluster, or run an endpoint on every node.`,
  'allow-source': ({ source }) =>
    `Let loadBalancerSourceRanges name ${source ?? 'the sender'}, or leave them out.`,
  'run-proxy': () => 'Run kube-proxy on every node, or what stands in for it.',
  'restart-proxy': ({ node }) =>
    `Let kube-proxy${node === undefined ? '' : ` on ${node}`} write its rules again`,
  'drop-endpoint': ({ ip, slice }) =>
    `Take ${ip ?? 'the address'} out of ${slice === undefined ? 'the slice' : `EndpointSlice ${slice}`}`,
  'same-family': () =>
    'Give the Service an address of the family that its Pods have (ipFamilies), or the Pods one of its.',
  'admit-peer': ({ name, near, place }) => {
    if (name === undefined) return 'Let a NetworkPolicy admit it.';
    const here = place === undefined ? '' : ` (${place})`;
    return `Add this NetworkPolicy${near === undefined ? '' : `, or its rule to NetworkPolicy ${near}${here}`}.`;
  },
  'allow-before': ({ kind, name, rule, place, by }) => {
    const policy = `${kind ?? 'the policy'} ${name ?? ''}`.trimEnd();
    const here = place === undefined ? '' : ` (${place})`;
    const before = `${rule === undefined ? 'the one' : `rule ${rule}`} of ${policy}${here}`;
    switch (by) {
      case 'policy':
        return `Add this ${kind}, which is asked before ${before}, where that is meant.`;
      case 'rule':
        return `Put one more rule before ${before}, where that is meant: it is for every Pod that ${policy} is about.`;
      default:
        return `Let a rule that allows it stand before ${before}, where that is meant.`;
    }
  },
  'state-networks': ({ kind, name, rule, ip }) =>
    `Write addresses (networks) into rule ${rule ?? ''} of ${kind ?? 'the policy'} ${name ?? ''} in place of domainNames, or find out whether ${ip ?? 'the address'} is one of theirs.`,
  'see-fidelity': () => 'See docs/fidelity.md for what is modelled.',
};
