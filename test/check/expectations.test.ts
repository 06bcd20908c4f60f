import { describe, expect, it } from 'vitest';
import { differences, type Expected } from '../../src/check/expectations.ts';
import { sourceSeen, targetReached } from '../../src/trace/seen.ts';
import type { Hop, Step, TraceFacts } from '../../src/trace/trace.ts';
import type { Layer } from '../../src/wire/packet.ts';

const ipv4 = (src: string, dst: string): Layer => ({
  type: 'ipv4',
  src,
  dst,
  ttl: 64,
  protocol: 'tcp',
  df: true,
  length: 60,
});

let n = 0;
const step = (kind: Step['kind'], rest: Partial<Step> = {}): Step => {
  n += 1;
  return { n, kind, action: 'any', detail: {}, ...rest } as Step;
};
const tap = (kind: 'transmit' | 'receive', device: string, ...packet: Layer[]): Step =>
  step(kind, { device, packet });
const hop = (node: string, netns: string, ...steps: Step[]): Hop => ({ node, netns, steps });

const outer = ipv4('192.168.10.11', '192.168.10.12');

const walked: TraceFacts = {
  scenario: 'two-nodes',
  probe: {
    from: { text: 'pod-a', kind: 'pod' },
    to: { text: 'svc/web', kind: 'service' },
    protocol: 'tcp',
    port: 80,
  },
  disposition: 'delivered',
  symptom: 'connected',
  legs: [
    {
      direction: 'request',
      packet: 'syn',
      disposition: 'delivered',
      hops: [
        hop('node-1', 'default/pod-a', tap('transmit', 'eth0', ipv4('10.244.1.2', '10.96.0.10'))),
        hop(
          'node-1',
          'host',
          tap('receive', 'cni0'),
          step('nat', {
            action: 'dnat',
            detail: {
              field: 'dst',
              before: { ip: '10.96.0.10', port: 80 },
              after: { ip: '10.244.2.2', port: 8080 },
            } as Step['detail'],
          }),
          tap('transmit', 'eth0', outer, ipv4('10.244.1.0', '10.244.2.2')),
        ),
        hop(
          'node-2',
          'default/pod-b',
          tap('receive', 'eth0', ipv4('10.244.1.0', '10.244.2.2')),
          step('deliver', { action: 'socket' }),
        ),
      ],
    },
    {
      direction: 'reply',
      packet: 'synack',
      disposition: 'delivered',
      hops: [hop('node-2', 'default/pod-b', tap('transmit', 'eth0'))],
    },
  ],
  assumptions: [],
};

const seen = sourceSeen(walked.legs[0]);
const dnat = targetReached(walked.legs[0]);
const facts: TraceFacts = {
  ...walked,
  ...(seen && { sourceSeen: seen }),
  ...(dnat && { dnat }),
};

const fields = (expected: Expected, of = facts) =>
  differences(expected, of).map(({ field }) => field);

const holds: Expected = {
  disposition: 'delivered',
  symptom: 'connected',
  sourceSeen: '10.244.1.0',
  dnat: '10.244.2.2:8080',
  via: ['node-1/default/pod-a/eth0', 'cni0', 'eth0', 'eth0', 'node-2/default/pod-b/eth0'],
  notVia: ['flannel.1', 'node-2/host/eth0'],
  maxHops: 3,
};

describe('differences', () => {
  it('finds none where all holds', () => {
    expect(differences(holds, facts)).toEqual([]);
    expect(fields({ ...holds, dnat: '10.244.2.2' })).toEqual([]);
  });

  it.each<[keyof Expected, Partial<Expected>]>([
    ['disposition', { disposition: 'refused' }],
    ['cause', { cause: 'NO_LISTENER' }],
    ['symptom', { symptom: 'timeout' }],
    ['sourceSeen', { sourceSeen: '10.244.1.2' }],
    ['dnat', { dnat: '10.244.2.3' }],
    ['dnat', { dnat: '10.244.2.2:80' }],
    ['via', { via: ['eth0', 'cni0', 'cni0'] }],
    ['via', { via: ['node-2/host/eth0'] }],
    ['notVia', { notVia: ['cni0'] }],
    ['notVia', { notVia: ['node-1/host/eth0'] }],
    ['maxHops', { maxHops: 2 }],
  ])('finds a wrong %s: %j', (field, wrong) => {
    expect(fields({ ...holds, ...wrong })).toEqual([field]);
  });

  it('says what was expected and what was found', () => {
    expect(differences({ disposition: 'delivered', via: ['cni0', 'lo'] }, facts)).toEqual([
      {
        field: 'via',
        expected: 'cni0, lo',
        found:
          'node-1/default/pod-a/eth0, node-1/host/cni0, node-1/host/eth0, node-2/default/pod-b/eth0, node-2/default/pod-b/eth0 (no lo after cni0)',
      },
    ]);
  });

  it('expects nothing of a packet that was never sent', () => {
    const never = { ...walked, disposition: 'dropped', symptom: 'timeout', legs: [] } as TraceFacts;
    expect(fields({ disposition: 'dropped', notVia: ['eth0'], maxHops: 0 }, never)).toEqual([]);
    expect(
      fields(
        { disposition: 'dropped', via: ['eth0'], sourceSeen: '10.244.1.2', dnat: '1.2.3.4' },
        never,
      ),
    ).toEqual(['sourceSeen', 'dnat', 'via']);
  });
});
