import { describe, expect, it } from 'vitest';
import { en } from '../../src/explain/messages/en.ts';

const { assumptions } = en;

describe('an assumption', () => {
  it.each([
    [1, 4, "1 of the 4 Pods has no address and gets one in the plugin's order."],
    [2, 4, "2 of the 4 Pods have no address and get one in the plugin's order."],
    [2, 2, "Both Pods have no address and get one in the plugin's order."],
    [4, 4, "All 4 Pods have no address and get one in the plugin's order."],
    [1, 1, "The one Pod has no address and gets one in the plugin's order."],
  ])('counts: %i of %i', (count, of, text) => {
    expect(assumptions['address-invented']('Pods', { count, of }, undefined)).toBe(text);
  });

  it('names the ranges of a node, and how many more there are', () => {
    const tell = (values: Record<string, string | number>): string =>
      assumptions['node-ranges']('node-1', values, undefined);
    expect(tell({ ranges: '10.0.0.0/25, 10.0.0.192/26', more: 0 })).toBe(
      'Pods of node-1 and of other nodes have addresses among each other: node-1 has 10.0.0.0/25, 10.0.0.192/26, each with a route.',
    );
    expect(tell({ ranges: '10.0.1.5/32', more: 7, gateway: '10.244.1.0/24' })).toContain(
      'node-1 has 10.0.1.5/32 and 7 more, each with a route. The bridge has 10.244.1.0/24, which is made up.',
    );
    expect(tell({ ranges: '10.0.9.7/32', more: 0, given: '10.0.1.0/24' })).toBe(
      'Pods of node-1 have addresses outside its range 10.0.1.0/24: 10.0.9.7/32. Each gets routes of its own.',
    );
  });
});
