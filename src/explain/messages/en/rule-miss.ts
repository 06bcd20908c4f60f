/** Why a rule of a firewall did not apply. */
import type { RuleMiss } from '../../../trace/trace.ts';
import type { Unknown } from '../../../wire/packet.ts';
import type { Catalogue } from '../../catalogue.ts';
import { portSuffix } from '../../step.ts';
import { list } from './phrases.ts';

export const ruleMiss: Catalogue['ruleMiss'] = (miss, condition) => {
  const { number, leadsTo } = miss;
  const way =
    leadsTo === undefined ? '' : `, which leads to ${leadsTo.chain} rule ${leadsTo.number},`;
  return `rule ${number}${way} asks for ${condition}; ${foundText(miss)}`;
};

/** `its destination port is 8080`: what the packet has where a condition looks. */
function foundText({ condition, found }: RuleMiss): string {
  const values = list(found.map((value) => portText(value)));
  switch (condition.kind) {
    case 'src':
      return `its source is ${values}`;
    case 'dst':
      return `its destination is ${values}`;
    case 'in':
      return found.length === 0 ? 'it was made here' : `it came in on ${values}`;
    case 'out':
      return found.length === 0 ? 'it goes out nowhere' : `it goes out on ${values}`;
    case 'protocol':
      return `its protocol is ${values}`;
    case 'sport':
      return `its source port is ${values}`;
    case 'dport':
      return `its destination port is ${values}`;
    case 'multiport':
      return found.length === 1 ? `its port is ${values}` : `its ports are ${values}`;
    case 'mark':
      return `its mark is ${found.map((mark) => `0x${mark.toString(16)}`).join('')}`;
    case 'ctstate':
      return `its state is ${values}`;
    case 'addrtype':
      return `its ${condition.which === 'src' ? 'source' : 'destination'} is ${values}`;
    case 'physdev':
      return found.length === 0
        ? 'no port of a bridge is known'
        : `the port of the bridge is ${values}`;
    case 'icmp-type':
      return found.length === 0 ? 'it is no ICMP message' : `its type is ${values}`;
    case 'tcp-flags':
      return found.length === 0 ? 'it is no TCP segment' : `its flags are ${values}`;
    case 'length':
      return `it has ${values} bytes`;
    case 'set':
      return found.length === 0 ? 'it has not' : `it has ${values}`;
    case 'recent':
      return condition.negate ? `${values} was seen` : `${values} was not seen`;
    case 'statistic':
    case 'nfacct':
    case 'extension':
    case 'comment':
    case 'unmodelled':
      return 'it has not';
    default:
      return condition satisfies never;
  }
}

const portText = (value: string | number | Unknown): string =>
  typeof value === 'object' ? portSuffix(value).slice(1) : `${value}`;
