/** Everything that changes the configuration of a namespace, as rtnetlink and procfs offer it. */

export type { AddressSpec } from './netlink/address.ts';
export { addrAdd, addrDel } from './netlink/address.ts';
export type { NetlinkErrno } from './netlink/error.ts';
export { NetlinkError } from './netlink/error.ts';
export type { FdbMode, FdbSpec } from './netlink/fdb.ts';
export { DEFAULT_PORT, fdbAdd, fdbAppend, fdbDel, fdbReplace, portSet } from './netlink/fdb.ts';
export type { LinkChange, LinkSpec, VethSpec } from './netlink/link.ts';
export { linkAdd, linkAddVeth, linkDel, linkSet } from './netlink/link.ts';
export type { NeighSpec } from './netlink/neigh.ts';
export { neighAdd, neighDel, neighReplace } from './netlink/neigh.ts';
export type { NexthopSpec, RouteMode, RouteSelector, RouteSpec } from './netlink/route.ts';
export { routeAdd, routeDel } from './netlink/route.ts';
export type { RuleSelector, RuleSpec } from './netlink/rule.ts';
export { ruleAdd, ruleDel } from './netlink/rule.ts';
export { socketAdd, socketHolder } from './netlink/socket.ts';
export { sysctlSet } from './netlink/sysctl.ts';
