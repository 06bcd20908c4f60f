import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodDns } from '../../../src/cluster/cluster.ts';
import { hostsOf, inHosts } from '../../../src/cluster/dns/hosts-file.ts';
import { USUAL_DNS } from '../../../src/cluster/dns/pod-dns.ts';
import { resolvConfOf } from '../../../src/cluster/dns/resolv-conf.ts';
import { searchList } from '../../../src/cluster/dns/search-list.ts';

const DNS = ['10.96.0.10'];

const confOf = (dns: Partial<PodDns> = {}, hostNetwork = false) =>
  resolvConfOf({ namespace: 'shop', hostNetwork, dns: { ...USUAL_DNS, ...dns } }, DNS);

const CLUSTER = {
  nameservers: DNS,
  searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
  options: ['ndots:5'],
  ndots: 5,
  node: false,
};

describe('resolv.conf', () => {
  it('is the cluster’s for ClusterFirst', () => {
    expect(confOf()).toEqual({ policy: 'ClusterFirst', ...CLUSTER });
  });

  it('is the node’s on the node’s network, unless the policy says otherwise', () => {
    expect(confOf({}, true)).toMatchObject({ node: true, nameservers: [], searches: [], ndots: 1 });
    expect(confOf({ policy: 'ClusterFirstWithHostNet' }, true)).toMatchObject(CLUSTER);
  });

  it('is the node’s for Default, with what dnsConfig adds behind it', () => {
    const conf = confOf({
      policy: 'Default',
      nameservers: ['10.244.1.9'],
      searches: ['a.example'],
    });
    expect(conf).toMatchObject({
      node: true,
      nameservers: ['10.244.1.9'],
      searches: ['a.example'],
    });
  });

  it('is dnsConfig alone for None', () => {
    const conf = confOf({
      policy: 'None',
      nameservers: ['10.244.1.9'],
      searches: ['shop.svc.cluster.local'],
      options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
    });
    expect(conf).toEqual({
      policy: 'None',
      nameservers: ['10.244.1.9'],
      searches: ['shop.svc.cluster.local'],
      options: ['ndots:2', 'edns0'],
      ndots: 2,
      node: false,
    });
  });

  it('merges dnsConfig: what comes twice counts once, an option’s last value counts', () => {
    const conf = confOf({
      nameservers: ['10.96.0.10', '1.1.1.1', '8.8.8.8', '9.9.9.9'],
      searches: ['cluster.local', 'corp.example'],
      options: [{ name: 'ndots', value: '1' }],
    });
    expect(conf.nameservers).toEqual(['10.96.0.10', '1.1.1.1', '8.8.8.8']);
    expect(conf.searches).toEqual([...CLUSTER.searches, 'corp.example']);
    expect(conf.options).toEqual(['ndots:1']);
  });

  it('keeps within 32 search domains and 2048 characters', () => {
    const domain = fc.stringMatching(/^[a-z]{1,60}(\.[a-z]{1,60}){0,3}$/);
    fc.assert(
      fc.property(fc.array(domain, { maxLength: 60 }), (searches) => {
        const kept = confOf({ searches }).searches;
        expect(kept.length).toBeLessThanOrEqual(32);
        expect(kept.join(' ').length).toBeLessThanOrEqual(2048);
        expect(kept.slice(0, 3)).toEqual(CLUSTER.searches);
      }),
    );
  });
});

describe('the search list', () => {
  const conf = confOf();

  it('comes before a name of less than five dots', () => {
    expect(searchList('web', conf)).toEqual([
      'web.shop.svc.cluster.local',
      'web.svc.cluster.local',
      'web.cluster.local',
      'web',
    ]);
    expect(searchList('web.shop.svc.cluster.local', conf).at(-1)).toBe(
      'web.shop.svc.cluster.local',
    );
  });

  it('comes behind a name of ndots dots or more', () => {
    expect(searchList('a.b', { ...conf, ndots: 1 })).toEqual([
      'a.b',
      'a.b.shop.svc.cluster.local',
      'a.b.svc.cluster.local',
      'a.b.cluster.local',
    ]);
  });

  it('is not for a name with a dot at its end', () => {
    expect(searchList('example.com.', conf)).toEqual(['example.com']);
  });
});

describe('/etc/hosts', () => {
  const pod = { name: 'db-0', namespace: 'shop', ip: '10.244.1.2', hostNetwork: false } as const;

  it('has the Pod itself, in the domain of its headless Service', () => {
    const entries = hostsOf({ ...pod, hostname: 'db-0', subdomain: 'db' });
    expect(inHosts(entries, 'db-0')?.ip).toBe('10.244.1.2');
    expect(inHosts(entries, 'DB-0.db.shop.svc.cluster.local.')?.ip).toBe('10.244.1.2');
    expect(inHosts(entries, 'db-0.db')).toBeUndefined();
  });

  it('has the host aliases, of which IPv4 counts', () => {
    const hostAliases = [
      { ip: 'fd00::1', hostnames: ['billing'] },
      { ip: '192.0.2.7', hostnames: ['ledger', 'billing'] },
    ];
    const entries = hostsOf({ ...pod, dns: { ...USUAL_DNS, hostAliases } });
    expect(inHosts(entries, 'billing')?.ip).toBe('192.0.2.7');
  });
});
