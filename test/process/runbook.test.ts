import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { k8snet, run } from './k8snet.ts';

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'k8snet-runbook-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const script = async (...args: string[]) => {
  const result = await k8snet(['trace', ...args, '-o', 'runbook'], { cwd });
  return { ...result, file: save('runbook.sh', result.stdout) };
};

const save = (name: string, text: string): string => {
  const file = join(cwd, name);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
};

const shellcheck = spawnSync('shellcheck', ['--version']).status === 0;

describe.each([
  ['delivered over a tunnel', 0, ['pod-a', 'pod-b']],
  ['delivered on lo', 0, ['pod-a:app', 'pod-a:sidecar']],
  ['an echo', 0, ['pod-a', 'pod-b', '--proto', 'icmp']],
  ['to the outside', 0, ['pod-a', 'external:443', '-s', 'outside/pod-to-outside']],
  ['a fault', 1, ['pod-a', 'pod-b', '-s', 'failures/firewall-drop']],
  ['a denial', 1, ['client', 'shop/web:8080', '-s', 'policies/default-deny-ingress']],
  [
    'a name that cannot be asked for',
    1,
    ['shop/cart', 'web', '-p', '80', '-s', 'policies/dns-denied'],
  ],
  ['no packet at all', 1, ['pod-a', 'finished', '-s', 'failures/not-running']],
])('the runbook of %s', (_, code, args) => {
  it('is a script that every POSIX shell takes, and that changes nothing', async () => {
    const { stdout, file, ...result } = await script(...args);
    expect(result.code).toBe(code);
    expect((await run('sh', ['-n', file])).code).toBe(0);
    if (shellcheck) expect(await run('shellcheck', [file])).toMatchObject({ code: 0, stdout: '' });
    const commands = stdout.split('\n').filter((line) => !line.startsWith('#'));
    expect(commands.join('\n')).not.toMatch(
      /\b(?:rm|delete|add|del|replace|flush|apply|create|patch|link set) |-[ADIFXP] [A-Z]|sysctl -w/,
    );
  });
});

it('has the lines of the cluster without its faults', async () => {
  const { stdout } = await script('pod-a', 'pod-b', '-s', 'failures/firewall-drop');
  expect(stdout).toContain(
    '\niptables -t filter -S FLANNEL-FWD 1\n#> -A FLANNEL-FWD -s 10.244.0.0/16',
  );
  expect(stdout).not.toContain('DROP');
});

it('marks where a trace ends that no fault explains', async () => {
  const { stdout } = await script('pod-a', 'pod-b:9090');
  expect(stdout).toMatch(/^# step 54 \(the trace ends here\), deliver: nothing listens/m);
});

it('checks the way of the query where a name cannot be asked for', async () => {
  const { stdout } = await script('shop/cart', 'web:80', '-s', 'policies/dns-denied');
  expect(stdout).toMatch(
    /^# step \d+ \(the trace ends here\), policy: egress of shop\/cart: denied/m,
  );
  expect(stdout).toMatch(/^kubectl get -n shop networkpolicy\.networking\.k8s\.io \S+ -o name$/m);
  expect(stdout).toContain('\nin_pod ip route get fibmatch ');
});

it('asks for policies, and for no rules of ours that enforce them', async () => {
  const { stdout } = await script('client', 'shop/web:8080', '-s', 'policies/default-deny-ingress');
  expect(stdout).toContain(
    '\nkubectl get -n shop networkpolicy.networking.k8s.io default-deny -o name\n',
  );
  expect(stdout).not.toContain('nft ');
});

it('takes addresses of the input as they are, and asks for those that were made up', async () => {
  save(
    'given.yaml',
    `apiVersion: v1
kind: Pod
metadata: { name: a }
spec: { nodeName: n, containers: [{ name: app }] }
status: { phase: Running, podIP: 10.9.1.7, hostIP: 10.8.0.5 }
---
apiVersion: v1
kind: Pod
metadata: { name: b }
spec: { nodeName: n, containers: [{ name: app }] }
`,
  );
  const { stdout } = await script('a', 'b:80', '-f', 'given.yaml');
  expect(stdout).toMatch(/^ip\d=10\.9\.1\.7$/m);
  expect(stdout).toMatch(/^ip\d=\$\(pod_address default b\)$/m);
});

it('lets no name out of its quotes, nor out of its comment', async () => {
  const evil = `x'; touch pwned; echo "$(touch pwned)\`touch pwned\``;
  const pod = (name: string, node: string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: evil },
      spec: {
        nodeName: node,
        containers: [{ name: `${evil}\nEND\ntouch pwned`, ports: [{ containerPort: 80 }] }],
      },
    });
  const list = JSON.stringify({
    kind: 'List',
    items: [JSON.parse(pod('a', `${evil} 1`)), JSON.parse(pod('b', `${evil}\nEND\ntouch pwned`))],
  });
  save('evil.json', list);
  const { file, stdout, code, stderr } = await script('-n', evil, 'a', 'b', '-f', 'evil.json');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('touch pwned');
  // What would run on the nodes runs here, with tools that do nothing.
  save('kubectl', '#!/bin/sh\ncase "$1" in debug) exec sh -s ;; *) echo 10.0.0.1 ;; esac\n');
  for (const name of ['ip', 'bridge', 'iptables', 'nsenter', 'crictl', 'ss', 'sysctl'])
    save(name, '#!/bin/sh\nexit 0\n');
  const env = { PATH: [cwd, process.env['PATH']].join(delimiter) };
  expect((await run('sh', [file], { cwd, env })).stderr).not.toMatch(/syntax|not found/);
  expect(existsSync(join(cwd, 'pwned'))).toBe(false);
});
