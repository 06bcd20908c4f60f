/**
 * Why a packet ended: Linux's own names (include/net/dropreason-core.h, Linux 6.18; VXLAN's from
 * include/net/vxlan.h), and the model's own answers, which are no kernel's, in lower case.
 */
export type DropReason =
  | 'NO_SOCKET'
  | 'NETFILTER_DROP'
  | 'OTHERHOST'
  | 'IP_RPFILTER'
  | 'IP_OUTNOROUTES'
  | 'IP_INNOROUTES'
  | 'IP_INADDRERRORS'
  | 'IP_INVALID_SOURCE'
  | 'IP_LOCALNET'
  | 'IP_INVALID_DEST'
  | 'IP_LOCAL_SOURCE'
  | 'IP_INHDR'
  | 'IP_NOPROTO'
  | 'NEIGH_FAILED'
  | 'NEIGH_QUEUEFULL'
  | 'NEIGH_DEAD'
  | 'PKT_TOO_BIG'
  | 'DEV_READY'
  | 'QDISC_DROP'
  | 'NO_TX_TARGET'
  | 'BRIDGE_INGRESS_STP_STATE'
  | 'LOCAL_MAC'
  | 'VXLAN_INVALID_HDR'
  | 'VXLAN_VNI_NOT_FOUND'
  | 'VXLAN_NO_REMOTE'
  | 'VXLAN_ENTRY_EXISTS'
  | 'TCP_MINTTL'
  | 'TUNNEL_TXINFO'
  | 'NOT_SPECIFIED'
  // Where no kernel reason exists: the frame was never given to anyone.
  | 'wire-cut'
  | 'no-attachment'
  | 'ttl-exceeded'
  | 'looped'
  | 'forwarding-off'
  | 'echo-ignored'
  // The honest third answer.
  | 'not-modelled'
  | 'fact-missing';
