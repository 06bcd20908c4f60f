/** The network namespace of a Pod: held by its pause container, shared by all its containers. */
import { linkSet, sysctlSet } from '../kernel/netlink.ts';
import { createNetns } from '../kernel/netns.ts';
import type { Netns, Sysctl } from '../kernel/world.ts';
import { bindListeners, podPolicy, processName } from './listener.ts';
import { podNetnsName, type RunningPod } from './machine.ts';
import { forPod } from './object-origin.ts';

/** What the containers of a Pod are in the namespace that they have joined. */
export const membersOf = (pod: RunningPod) =>
  pod.containers.map(({ name, place }) => ({
    name: processName(pod, name),
    origin: forPod('kubelet', place ? { ...pod, place } : pod)('pod-container', name),
  }));

/**
 * The namespace as the container runtime makes it, before the network plugin is called: the pause
 * container holds it, the containers join it, lo is up (loopback plugin), listeners are bound.
 * @param inherited sysctls that the machine hands down to a new namespace
 */
export const createPodNetns = (pod: RunningPod, inherited: ReadonlyMap<string, Sysctl>): Netns => {
  const author = forPod('kubelet', pod);
  const netns = createNetns({
    host: pod.node,
    name: podNetnsName(pod),
    holder: { name: 'pause', origin: author('pod-container') },
    members: membersOf(pod),
    listeners: podPolicy(pod),
  });
  for (const [key, { value, origin }] of inherited) sysctlSet(netns, key, value, origin);
  linkSet(netns, 'lo', { up: true });
  bindListeners(netns, pod);
  return netns;
};
