/** The tour in English. */
import type { TourMessages } from './tour-messages.ts';

export const en: TourMessages = {
  stages: {
    'one-pod': {
      title: 'Containers of one Pod',
      aim: 'See that the containers of a Pod share one network namespace: one IP, one port space, one localhost.',
      question:
        'Pod shop has two containers, app and cache. app connects to cache on localhost. Which device carries the packet?',
      options: [
        'lo, the loopback device',
        "eth0, the Pod's network card",
        'cni0, the bridge of the node',
      ],
      why: 'Both containers joined the namespace that the pause container holds open, so the packet never leaves it: it goes out on lo and comes back in on lo.',
      recap: [
        "A Pod's network namespace belongs to its pause container; the containers only join it.",
        'So they have one IP and one port space between them: two of them cannot listen on the same port.',
        'Docker does the same with: docker run --net=container:ID',
      ],
    },
    'one-node': {
      title: 'Pods of one node',
      aim: 'See how a veth pair leads out of a Pod, and how a bridge hands a frame to the next Pod without any routing.',
      question:
        'pod-a and pod-b are on one node, in one subnet. To whose MAC address does pod-a send the frame?',
      options: ["pod-b's eth0", 'cni0, the bridge', "the node's eth0"],
      why: "pod-b's address is on the link, so pod-a asks for it by ARP; pod-b answers itself, and the bridge only looks up behind which port that MAC address is.",
      recap: [
        "A Pod's eth0 is one end of a veth pair; the other end is a port of the bridge in the node's namespace.",
        'Within one subnet no router is involved: ARP finds the MAC address, the FDB finds the port.',
        'The TTL stays as it is, since nobody routes.',
      ],
    },
    'two-nodes': {
      title: 'Pods of two nodes',
      aim: 'See how a node routes the packet of a Pod to another node, here through a VXLAN tunnel.',
      question: 'How often is the TTL of the packet lowered between pod-a and pod-b?',
      options: ['never', 'once', 'twice', 'three times'],
      why: 'Each node is a router: node-1 routes from cni0 into the tunnel, node-2 from the tunnel to its own cni0. The wire between them sees only the outer packet.',
      recap: [
        "The Pod's default route leads to the bridge; from there the node's routing table decides.",
        'The tunnel packs the whole frame into UDP between the two nodes; 50 bytes are added, so the MTU of the Pods is smaller.',
        'On the other node everything happens in reverse: unpack, route, bridge, veth pair.',
      ],
    },
    service: {
      title: 'A Service',
      aim: 'See where the address of a Service becomes that of a Pod, and what brings the answer home.',
      question:
        'client, on node-1, connects to Service web, whose only Pod is on node-2. Whose address does the server see as that of its caller?',
      options: ["the Service's", "node-1's", "the client's own"],
      why: 'kube-proxy wrote rules on every node, and those of node-1 rewrite the destination alone: from the Service to the Pod. The source is left as it is, since the answer comes back through node-1 anyway.',
      recap: [
        'No machine has the address of a Service. The first node on the way rewrites it, before it looks for a route.',
        'Conntrack keeps what was rewritten, and gives the answer the source that the client asked.',
        'A caller from outside is hidden behind the node that he asks, unless externalTrafficPolicy is Local.',
      ],
    },
  },
  unknownStage: (name, known) =>
    `there is no stage ${JSON.stringify(name)}; the stages are ${known}`,
  welcome:
    'Four stages: one Pod, one node, two nodes, a Service. Each packet below is computed by the same engine that k8snet trace uses.',
  stageOf: (index, total, title) => `Stage ${index} of ${total}: ${title}`,
  right: 'Right.',
  wrong: (answer) => `Not quite: ${answer}.`,
  engineDisagrees: 'The engine does not confirm any of the answers: this stage is broken.',
  stepOf: (index, total) => `Step ${index} of ${total}`,
  move: 'Go on?',
  next: 'next step',
  back: 'one step back',
  toEnd: 'to the end of the stage',
  quit: 'leave the tour',
  askNow: 'First a question.',
  recapTitle: 'What you saw',
  repeat: (command) => `Again, outside the tour: ${command}`,
  finished: (right, total) =>
    `You have finished the tour. ${right} of ${total} answers were right.`,
  see: 'see',
  vethPair: 'veth pair',
  wire: 'wire',
};
