import { describe, expect, it } from 'vitest';
import { traceBroken } from './broken.ts';

const verdictOf = async (...faults: string[]): Promise<string> =>
  (await traceBroken(faults)).story.verdict;

describe('the last line', () => {
  it('tells who said no', async () => {
    expect(await verdictOf('pod/pod-a: ip route add prohibit 10.244.2.2/32')).toBe(
      "rejected: the sender's own kernel says no",
    );
    expect(await verdictOf('node/node-1: ip route add prohibit 10.244.2.2/32')).toBe(
      'rejected: an error came back from the way',
    );
  });

  it('does not speak of an error that nobody could send', async () => {
    expect(await verdictOf('node/node-1: ip rule del pref 32766')).toBe(
      'dropped: it vanished silently',
    );
    expect(
      await verdictOf(
        'node/node-2: iptables -I FORWARD -p tcp -j REJECT',
        'node/node-2: iptables -I OUTPUT -p icmp -j DROP',
      ),
    ).toBe('dropped: it vanished silently');
  });

  it('does not speak of an error as heard that was lost on its way', async () => {
    expect(
      await verdictOf(
        'node/node-2: iptables -I FORWARD -p tcp -j REJECT',
        'node/node-1: iptables -I FORWARD -p icmp -j DROP',
      ),
    ).toBe('rejected: an error was sent, and the sender does not hear it');
  });
});
