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
  'see-fidelity': () => 'See docs/fidelity.md for what is modelled.',
};
