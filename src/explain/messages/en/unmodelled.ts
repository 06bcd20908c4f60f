/** What is not modelled, as part of a sentence. */
import type { Catalogue } from '../../catalogue.ts';

export const unmodelled: Catalogue['unmodelled'] = {
  fragmentation: 'splitting a packet into fragments',
  multicast: 'multicast',
  multipath: 'a route with several next hops',
  ipvs: 'IPVS without connection tracking, or what it does with an error about an answer',
  rule: 'a firewall rule (the step shows it)',
  'vlan-filtering': 'VLANs on a bridge',
  'duplicate-address': 'two owners of one address on a wire',
  'received-twice':
    'a packet that a promiscuous bridge both forwards and hands to its own stack, which sends it once more',
  sctp: 'SCTP',
  ipv6: 'IPv6',
  'special-address': 'a loopback, multicast or otherwise special destination',
  'balancer-proxy':
    'a load balancer that ends connections and begins its own (ipMode: Proxy); trace a node port from external instead',
  'external-name': 'a Service that is another name (ExternalName)',
  'range-too-small': "a node's Pod range without room for a gateway",
  'dns-over-tcp': 'a DNS answer of more than 512 bytes, which is asked for again over TCP',
};
