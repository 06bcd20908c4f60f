/** All stages of the kernel, tied together. */
import { devQueueXmit } from './dev-queue-xmit.ts';
import { icmpSend } from './icmp-send.ts';
import { ipLocalOut } from './ip-output.ts';
import { netifReceiveSkb } from './netif-receive-skb.ts';
import type { Stages } from './walk.ts';

/** The stages that call each other in circles. */
export const KERNEL: Stages = { netifReceiveSkb, devQueueXmit, ipLocalOut, icmpSend };
