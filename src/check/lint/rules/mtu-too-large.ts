/** Packets of Pods that the wire, or the tunnel on it, is too narrow for. */

import { ENCAP_OVERHEAD } from '../../../compile/cni/flannel-vxlan.ts';
import { pluginConf } from '../../../compile/cni/network-config.ts';
import type { Found, LintRule } from '../rule.ts';

export const mtuTooLarge: LintRule = {
  code: 'mtu-too-large',
  severity: 'error',
  title: 'The MTU of Pods is larger than the wire or the tunnel leaves',
  find: ({ cluster }) => {
    const { network, underlay } = cluster;
    const found = pluginConf(network);
    const of = (message: string, fix: string): Found => ({
      place: network.place,
      objects: [],
      message,
      fix,
    });
    if (found.plugin === 'bridge') {
      const { mtu } = found.conf;
      if (mtu <= underlay.mtu) return [];
      return [
        of(
          `network.config.mtu is ${mtu}, and the nodes' wire takes ${underlay.mtu} bytes`,
          `Set network.config.mtu to ${underlay.mtu} or less.`,
        ),
      ];
    }
    const { backend, delegate } = found.conf;
    const isTunnel = backend.type === 'vxlan';
    const leaves = underlay.mtu - (isTunnel ? ENCAP_OVERHEAD : 0);
    const wire = isTunnel
      ? `vxlan on a wire of ${underlay.mtu} bytes leaves ${leaves}`
      : `the nodes' wire takes ${leaves} bytes`;
    const problems: Found[] = [];
    if (backend.type === 'vxlan' && backend.mtu !== undefined && backend.mtu > underlay.mtu)
      problems.push(
        of(
          `network.config.MTU is ${backend.mtu}, and the nodes' wire takes ${underlay.mtu} bytes`,
          `Leave MTU out, or set it to ${underlay.mtu} or less.`,
        ),
      );
    if (delegate.mtu !== undefined && delegate.mtu > leaves)
      problems.push(
        of(
          `network.config.delegate.mtu is ${delegate.mtu}, and ${wire}`,
          `Leave delegate.mtu out (flannel knows it), or set it to ${leaves} or less.`,
        ),
      );
    return problems;
  },
};
