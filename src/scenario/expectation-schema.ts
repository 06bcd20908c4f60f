/** The schema of what is expected of one trace: in a Scenario, and in Expectations. */
import { CAUSE_CODES, DISPOSITIONS, SYMPTOMS } from '../trace/codes.ts';
import { z } from './zod.ts';

export const expectation = z.strictObject({
  name: z.string().min(1).optional().describe('What a report calls it; default: its two ends.'),
  from: z.string().describe('An endpoint, as on the command line.'),
  to: z.string().describe('An endpoint, as on the command line.'),
  port: z.int().min(1).max(65_535).optional(),
  protocol: z.enum(['tcp', 'udp', 'sctp', 'icmp']).optional(),
  size: z.int().min(0).max(65_535).optional().describe('Bytes of application data.'),
  backend: z.string().optional(),
  repeat: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe('So many probes, one after the other; what is expected holds for each.'),
  disposition: z.enum(DISPOSITIONS),
  cause: z.enum(CAUSE_CODES).optional(),
  symptom: z.enum(SYMPTOMS).optional().describe('What the application sees.'),
  sourceSeen: z.string().optional().describe('The source address that the receiver sees.'),
  dnat: z.string().optional().describe('address:port that the destination is rewritten to.'),
  backends: z
    .int()
    .min(0)
    .optional()
    .describe('How many backends may answer; with repeat: how many of them the probes come to.'),
  resolved: z
    .string()
    .optional()
    .describe('The address that a name is resolved to; of several, one of them.'),
  via: z
    .array(z.string())
    .optional()
    .describe('Devices that the packets cross, in order: cni0 or node-1/host/cni0.'),
  notVia: z.array(z.string()).optional().describe('Devices that no packet crosses.'),
  maxHops: z.int().min(1).optional(),
});

export type TraceExpectation = z.infer<typeof expectation>;
