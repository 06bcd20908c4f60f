import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { columns } from '../../src/render/width.ts';
import { bin, k8snet, run } from './k8snet.ts';

const pod = (name: string, containers: string, rest = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec:\n  nodeName: node-1\n  containers: ${containers}\n${rest}`;

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'k8snet-trace-'));
  const save = (name: string, text: string) => writeFileSync(join(cwd, name), text);
  save('a.yaml', pod('a', '[{ name: app, image: x }]'));
  save('b.yaml', pod('b', '[{ name: web, image: x, ports: [{ containerPort: 80 }] }]'));
  mkdirSync(join(cwd, 'folder'));
  save('folder/a.yaml', pod('a', '[{ name: app, image: x }]'));
  save('folder/b.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [] }));
  save(
    'wrong.yaml',
    'apiVersion: k8snet/v1\nkind: Scenario\nmetadata: { name: wrong }\nspec:\n  network: { plugin: fannel }\n  nodez: []\n',
  );
  save('broken.yaml', 'kind: [');
  save(
    'escape.yaml',
    pod('a', '[{ name: "app\\e[31m\\x9b2J", image: x, ports: [{ containerPort: 80 }] }]'),
  );
  save(
    'chinese.yaml',
    `${pod('a', '[{ name: app, image: x }]')}---\n${pod('b', '[{ name: 网络服务, image: x, ports: [{ containerPort: 80 }] }]')}`,
  );
  save(
    'odd.yaml',
    `${pod('a', '[{ name: app, image: x }]')}---\napiVersion: v1\nkind: Secret\nmetadata: { name: s }\n`,
  );
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const trace = (...args: string[]) => k8snet(['trace', ...args], { cwd });

describe('exit codes', () => {
  it.each<[string, number, string[]]>([
    ['delivered', 0, ['pod-a', 'pod-b']],
    ['delivered on lo', 0, ['pod-a:app', 'pod-a:sidecar']],
    ['refused', 1, ['pod-a', 'pod-b:9090']],
    ['dropped', 1, ['pod-a', 'pod-b', '-s', 'failures/tunnel-down']],
    ['rejected', 1, ['pod-a', 'pod-b', '-s', 'failures/firewall-reject']],
    ['reply-lost', 1, ['pod-a', 'external:443', '-s', 'outside/no-masquerade']],
    ['dropped', 1, ['pod-a', 'finished', '-s', 'failures/not-running']],
    ['inconclusive', 3, ['client', 'server:9090', '-s', 'failures/unknown-listener']],
    ['inconclusive', 3, ['pod-a', 'pod-b', '--proto', 'sctp']],
    ['delivered', 0, ['client', 'svc/sticky', '-s', 'services/affinity', '--repeat', '3']],
    ['rejected', 1, ['client', 'shop/svc/web', '-s', 'services/no-endpoints', '--repeat', '2']],
  ])('%s: %i', async (_, code, args) => {
    const result = await trace(...args);
    expect(result).toMatchObject({ code, signal: null });
    expect(result.stdout).toMatch(/^[✔✘?] /m);
  });

  it.each<[string, RegExp, string[]]>([
    ['an unknown Pod', /no Pod "pod-c".*\n.*Did you mean pod-a or pod-b\?/, ['pod-a', 'pod-c']],
    ['both ends unknown', /"x1"[\s\S]*"x2"/, ['x1', 'x2']],
    [
      'an unknown container',
      /containers? "?are|Containers are app, sidecar/i,
      ['pod-a:ap', 'pod-b'],
    ],
    ['a port of the source', /source has no port/, ['pod-a:80', 'pod-b']],
    ['two ports', /pod-b:80 names a port, and port 81/, ['pod-a', 'pod-b:80', '-p', '81']],
    ['a port for an echo', /echo has no port/, ['pod-a', 'pod-b', '-p', '80', '--proto', 'icmp']],
    ['no port to ask', /shows no udp port/, ['pod-a', 'pod-b', '--proto', 'udp']],
    ['a bad port', /1 to 65535/, ['pod-a', 'pod-b', '-p', '0']],
    [
      'a bad protocol',
      /Allowed choices are tcp, udp, icmp, sctp/,
      ['pod-a', 'pod-b', '--proto', 'x'],
    ],
    ['a missing end', /missing required argument 'to'/, ['pod-a']],
    ['too much', /too many arguments/, ['pod-a', 'pod-b', 'pod-c']],
    ['an option that is nearly one', /Did you mean --minimal\?/, ['pod-a', 'pod-b', '--minmal']],
    ['no such file', /nowhere\.yaml.*no such file/, ['a', 'b', '-f', 'nowhere.yaml']],
    [
      'two scenarios',
      /one scenario, and basics\/one-pod was given, too/,
      ['a', 'b', '-s', 'basics/one-pod', '-s', 'basics/one-node'],
    ],
    ['no such scenario', /Did you mean basics\/one-pod or /, ['a', 'b', '-s', 'basics/one-pud']],
    ['a bad override', /network.plugin/, ['pod-a', 'pod-b', '--set', 'network.plugin=x']],
    [
      'a bad command',
      /Cannot find device|no device|flannel\.9/,
      ['pod-a', 'pod-b', '--break', 'node/node-1: ip link set flannel.9 down'],
    ],
    ['syntax', /broken\.yaml:\d+:\d+/, ['a', 'b', '-f', 'broken.yaml']],
  ])('2 for %s, without a trace or a stack', async (_, message, args) => {
    const { code, stdout, stderr } = await trace(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('2 with every problem of a file at once, each with its place', async () => {
    const { code, stderr } = await trace('a', 'b', '-f', 'wrong.yaml');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: wrong\.yaml:5:22: .*\n {2}Did you mean flannel\?$/m);
    expect(stderr).toMatch(/^error: wrong\.yaml:6:3: /m);
  });

  it('130, as a shell counts it, for Ctrl-C', async () => {
    // It waits for the rest of its input.
    const child = spawn(process.execPath, [bin, 'trace', 'a', 'b', '-f', '-'], { stdio: 'pipe' });
    const ended = new Promise((resolve) => {
      child.on('close', (code, signal) =>
        resolve(code ?? (signal && 128 + constants.signals[signal])),
      );
    });
    child.stdin.write('kind: Pod\n');
    setTimeout(() => child.kill('SIGINT'), 1500);
    const status = await ended;
    expect(status).toBe(130);
  });
});

describe('the second probe', () => {
  it('shows what it spares, and ends with its own code', async () => {
    const { code, stdout } = await trace('pod-a', 'pod-b', '--warm', '--proto', 'icmp');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {8}before {5}ARP: cni0 answered$/m);
    expect(stdout).toMatch(/^ {8}gone {7}rule: FLANNEL-POSTRTG rule 2 returns \(nat\)$/m);
    expect(stdout).toMatch(/^ {2}nat lookups +10 +0$/m);
    expect(stdout.split('\n').filter((line) => columns(line) > 80)).toEqual([]);
    expect((await trace('pod-a', 'pod-b:9090', '--warm')).code).toBe(1);
  });

  it('is the second trace in JSON, as the schema has it', async () => {
    const { stdout } = await trace('pod-a', 'pod-b', '--warm', '-o', 'json');
    const { stdout: schema } = await k8snet(['schema', 'trace']);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
      JSON.parse(schema),
    );
    const parsed = JSON.parse(stdout);
    validate(parsed);
    expect(validate.errors).toBeNull();
    expect(parsed).toMatchObject({
      probe: { sourcePort: 40_001 },
      warm: { second: { floods: 0 } },
    });
  });
});

describe('formats', () => {
  it('say the same in YAML as in JSON', async () => {
    const [yaml, json] = await Promise.all([
      trace('pod-a', 'pod-b', '-o', 'yaml'),
      trace('pod-a', 'pod-b', '-o', 'json'),
    ]);
    expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
  });

  it('have a row a step in a table, with the same verdict', async () => {
    const { code, stdout } = await trace('pod-a', 'pod-b:9090', '-o', 'table');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ +where +step +what +remark$/m);
    expect(stdout).toMatch(/^✘ refused/m);
  });
});

describe('the small scenario', () => {
  it('gives the same trace, and holds what it expects; redacted, too', async () => {
    const question = ['pod-a', 'pod-b', '-s', 'failures/fdb-missing'];
    const plain = await trace(...question, '-o', 'scenario');
    const redacted = await trace(...question, '-o', 'scenario', '--redact');
    expect([plain.code, redacted.code, plain.stderr, redacted.stderr]).toEqual([1, 1, '', '']);
    writeFileSync(join(cwd, 'small.yaml'), plain.stdout);
    writeFileSync(join(cwd, 'neutral.yaml'), redacted.stdout);
    const [was, is] = await Promise.all([
      trace(...question, '--minimal'),
      trace('pod-a', 'pod-b', '-f', 'small.yaml', '--minimal'),
    ]);
    expect(is.stdout).toBe(was.stdout);
    const tested = await k8snet(['test', 'small.yaml', 'neutral.yaml'], { cwd });
    expect(tested.code).toBe(0);
    expect(redacted.stdout).not.toMatch(/pod-a|pod-b|nginx|two-nodes|\bapp\b|\bweb\b/);
  });

  it.each([
    ['--redact without it', /--redact is for -o scenario/, ['--redact']],
    ['a second probe', /--warm has no -o scenario/, ['--warm', '-o', 'scenario']],
  ])('is refused for %s', async (_, message, args) => {
    const { code, stdout, stderr } = await trace('pod-a', 'pod-b', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('several probes', () => {
  it('are a list in JSON and YAML, as the schema has it', async () => {
    const args = ['client', 'svc/free', '-s', 'services/affinity', '--repeat', '3'];
    const { stdout } = await trace(...args, '-o', 'json');
    const list = JSON.parse(stdout);
    const { stdout: schema } = await k8snet(['schema', 'trace-list']);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
      JSON.parse(schema),
    );
    validate(list);
    expect(validate.errors).toBeNull();
    expect(list).toMatchObject({ kind: 'TraceList', summary: { probes: 3, affinity: 'none' } });
    expect(list.items).toHaveLength(3);
    const { stdout: yaml } = await trace(...args, '-o', 'yaml');
    expect(parse(yaml)).toEqual(list);
  });

  it.each([
    ['a second probe', /--repeat has no --warm/, ['--warm']],
    ['fixes', /--repeat has no --with-fix/, ['--with-fix']],
    ['a scenario', /--repeat has no -o scenario/, ['-o', 'scenario']],
    ['a runbook', /--repeat has no -o runbook/, ['-o', 'runbook']],
    ['one backend', /backend first is one way/, ['--backend', 'first']],
    ['more than there are ports for', /from 1 to 1000/, ['--repeat', '1001']],
    ['none', /from 1 to 1000/, ['--repeat', '0']],
  ])('are refused with %s', async (_, message, args) => {
    const { code, stdout, stderr } = await trace('pod-a', 'pod-b', '--repeat', '2', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('a fix', () => {
  const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

  it('is tried, and the exit code stays that of the cluster as it is', async () => {
    const { code, stdout } = await trace(
      'pod-a',
      'pod-b',
      '-s',
      'failures/route-shadowed',
      '--with-fix',
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Tried {4}With the fix: delivered and answered; the application sees/m);
    expect(stdout).toMatch(/^✘ dropped/m);
    expect(stdout.split('\n').filter((line) => columns(line) > 80)).toEqual([]);
  });

  it('leads to the next cause, and to its fix', async () => {
    const question = ['pod-a', 'pod-b', '-s', 'failures/route-prohibit', '--with-fix'];
    for (const form of [[], ['-o', 'table']]) {
      const { stdout } = await trace(...question, ...form);
      expect(flat(stdout)).toContain(
        'Tried The fix is not enough: dropped: it vanished silently; the application sees timeout. Cause The route "prohibit 192.168.10.12" on node-1 covers 192.168.10.12. (ROUTE_PROHIBIT) Fix node-1# ip route del prohibit 192.168.10.12 Tried With the fix: delivered',
      );
    }
  });

  it('is a patch of the input, standard input as well', async () => {
    const { stdout: input } = await k8snet(['scenarios', 'failures/nothing-listens']);
    const args = ['trace', 'pod-a', 'pod-b:9090', '-f', '-', '--with-fix'];
    const { code, stdout } = await k8snet(args, { cwd, input });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {11}kind: Pod$/m);
    expect(stdout).toMatch(/^ {15}k8snet\/listen: "8080\/tcp, 9090\/tcp"$/m);
    expect(stdout).toMatch(/^Tried {4}With the fix: delivered/m);
  });

  it.each([
    ['mended', ['pod-a', 'pod-b', '-s', 'failures/tunnel-missing']],
    ['mended', ['client', 'server:9090', '-s', 'failures/unknown-listener']],
    ['mended', ['pod-a', 'pod-b:9090', '--warm']],
    ['advice', ['pod-a', '10.244.9.9']],
    [undefined, ['pod-a', 'pod-b']],
  ])('is data, as the schema has it: %s', async (outcome, args) => {
    const { stdout } = await trace(...args, '--with-fix', '-o', 'json');
    const { stdout: schema } = await k8snet(['schema', 'trace']);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
      JSON.parse(schema),
    );
    const parsed = JSON.parse(stdout);
    validate(parsed);
    expect(validate.errors).toBeNull();
    const { mended, rounds } = parsed.withFix;
    expect(mended).toBe(outcome !== 'advice');
    expect(rounds.at(-1)?.outcome).toBe(outcome);
    expect(rounds[0]?.fix).toEqual(parsed.cause?.remedy.fix);
  });

  it.each([
    ['advice', /^Tried {4}The fix is advice/m, ['pod-a', '10.244.2.200']],
    ['nothing', /^Tried {4}There is nothing to mend\.$/m, ['pod-a', 'pod-b']],
  ])('says so where there is %s', async (_, said, args) => {
    const { stdout } = await trace(...args, '--with-fix');
    expect(stdout).toMatch(said);
  });

  it.each([['--minimal'], ['-o', 'runbook'], ['-o', 'scenario']])(
    'is refused with %s %s',
    async (...form) => {
      const { code, stdout, stderr } = await trace(
        'pod-a',
        'pod-b',
        '--with-fix',
        ...form.filter(Boolean),
      );
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`--with-fix has no ${form.filter(Boolean).join(' ')}`);
    },
  );
});

describe('before and now', () => {
  const down = ['--break', 'node/node-2: ip link set flannel.1 down'];

  it('part at a step that both sides tell', async () => {
    const { code, stdout } = await trace('pod-a', 'pod-b', ...down);
    expect(code).toBe(1);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'Before Without the faults: delivered and answered; the application sees connected. They part at step 36: before, flannel.1: unpacks VNI 1',
    );
  });

  it('leave out overrides, and are not there where nothing was changed', async () => {
    const set = await trace('pod-a', 'pod-b', '--set', 'network.backend=host-gw', '-o', 'json');
    expect(JSON.parse(set.stdout).before).toMatchObject({
      without: 'overrides',
      disposition: 'delivered',
      parts: { before: { netns: 'host', step: { kind: 'route' } } },
    });
    const both = await trace('pod-a', 'pod-b', '--set', 'underlay.mtu=1400', ...down, '-o', 'json');
    expect(JSON.parse(both.stdout).before.without).toBe('faults-and-overrides');
    const plain = await trace('pod-a', 'pod-b', '-o', 'json');
    expect(JSON.parse(plain.stdout)).not.toHaveProperty('before');
  });
});

describe('streams', () => {
  it('have the result on stdout and everything else on stderr', async () => {
    const { code, stdout, stderr } = await trace('a', 'b', '-f', 'odd.yaml', '-f', 'b.yaml');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'skipped: 1 Secret\n' });
    expect(stdout).toMatch(/^a → b {3}TCP/);
  });

  it('take any input: files, directories, standard input, an environment variable', async () => {
    const input = pod('b', '[{ name: web, image: x }]');
    const outputs = await Promise.all([
      trace('a', 'b:80', '-f', 'a.yaml', '-f', 'b.yaml'),
      k8snet(['trace', 'a', 'b:80', '-f', 'folder', '-f', '-'], { cwd, input }),
      k8snet(['trace', 'a', 'a'], { cwd, env: { K8SNET_SCENARIO: 'folder' } }),
    ]);
    expect(outputs.map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  it('wait for input that comes late and in pieces', async () => {
    const args = [bin, 'trace', 'a', 'b:80', '-f', '-', '--minimal'];
    const child = spawn(process.execPath, args, { stdio: 'pipe' });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const input = `${pod('a', '[{ name: app, image: x }]')}---\n${pod('b', '[{ name: web, image: x }]')}`;
    for (const piece of [input.slice(0, 50), input.slice(50)]) {
      await new Promise((resolve) => setTimeout(resolve, 600));
      child.stdin.write(piece);
    }
    child.stdin.end();
    expect(await ended).toBe(0);
  });

  it.skipIf(!existsSync('/dev/full'))('that are full end with 74 and a line', async () => {
    const command = [process.execPath, bin].map((word) => `'${word}'`).join(' ');
    for (const args of ['trace pod-a pod-b', 'trace pod-a pod-b -o json', '--help', 'scenarios']) {
      const { code, stderr } = await run('sh', ['-c', `${command} ${args} > /dev/full`]);
      expect({ code, stderr }).toEqual({
        code: 74,
        stderr: expect.stringMatching(/^k8snet: cannot write the output: .*no space left.*\n$/),
      });
    }
    const { code } = await run('sh', ['-c', `${command} trace pod-a pod-c 2> /dev/full`]);
    expect(code).toBe(2);
  });

  it('may be closed early', async () => {
    for (const args of [['-vv'], ['-o', 'json'], ['--minimal']]) {
      const { code, signal, stderr } = await k8snet(['trace', 'pod-a', 'pod-b', ...args], {
        closedPipe: true,
      });
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    }
  });
});

describe('what is printed', () => {
  it('says which port was chosen, and why', async () => {
    expect((await trace('pod-a', 'pod-b')).stdout).toMatch(
      /^No port was asked for: 8080\/tcp is the first that default\/pod-b shows\n\(annotation, /m,
    );
    expect((await trace('pod-a', 'pod-b:8080')).stdout).not.toMatch(/No port was asked for/);
  });

  it.each([[[]], [['-v']], [['-vv']], [['-s', 'failures/small-wire']]])(
    'fits 80 columns, has no colour and ends with a newline: %j',
    async (more) => {
      const { stdout } = await trace('pod-a', 'pod-b', ...more);
      expect(stdout.split('\n').filter((line) => columns(line) > 80)).toEqual([]);
      expect(stdout).toBe(stripVTControlCharacters(stdout));
      expect(stdout).toMatch(/[^\n]\n$/);
    },
  );

  it('has colour when it is asked for, and says the same', async () => {
    const plain = (await trace('pod-a', 'pod-b')).stdout;
    const shown = (args: string[], env: Record<string, string>) =>
      k8snet(['trace', 'pod-a', 'pod-b', ...args], { env });
    const colored = await Promise.all([shown(['--color'], {}), shown([], { FORCE_COLOR: '1' })]);
    for (const { stdout } of colored) {
      expect(stdout).not.toBe(plain);
      expect(stripVTControlCharacters(stdout)).toBe(plain);
    }
    const without = await Promise.all([
      shown(['--no-color'], { FORCE_COLOR: '1' }),
      shown([], { NO_COLOR: '1', FORCE_COLOR: '1' }),
      shown([], { FORCE_COLOR: '0' }),
    ]);
    for (const { stdout } of without) expect(stdout).toBe(plain);
  });

  it('is ASCII where the locale has nothing else, and as wide as COLUMNS says', async () => {
    const { stdout } = await k8snet(['trace', 'pod-a', 'pod-b', '-v'], {
      env: { LC_ALL: 'C', COLUMNS: '100' },
    });
    expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBe(100);
  });

  it('is the same, byte for byte, in another directory, zone and time', async () => {
    for (const args of [['-vv'], ['-o', 'json'], ['--minimal']]) {
      const one = await trace('pod-a', 'pod-b', ...args);
      const other = await k8snet(['trace', 'pod-a', 'pod-b', ...args], {
        cwd: '/',
        env: { TZ: 'Asia/Shanghai', HOME: cwd },
      });
      expect(other).toEqual(one);
    }
  });

  it('spells out terminal escapes in names', async () => {
    for (const args of [['-v'], ['-o', 'json'], ['--minimal']]) {
      const { code, stdout, stderr } = await trace('a', 'a:80', '-f', 'escape.yaml', ...args);
      expect(code).toBe(0);
      expect(stdout).toContain('app\\u001b[31m\\u009b2J');
      expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    }
    const { stderr } = await trace('a', '\u001b[31mb', '-f', 'a.yaml');
    expect(stderr.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it('keeps asides at the edge beside names of two columns a character', async () => {
    const { code, stdout } = await trace('a', 'b', '-f', 'chinese.yaml');
    expect(code).toBe(0);
    const line = stdout.split('\n').find((text) => / deliver /.test(text)) ?? '';
    expect(line).toContain('网络服务 listens on');
    expect(columns(line)).toBe(80);
  });
});

describe('-o json', () => {
  it('is what the published schema says', async () => {
    const schema = JSON.parse((await k8snet(['schema', 'trace'])).stdout);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    const traces = await Promise.all([
      trace('pod-a', 'pod-b', '-o', 'json'),
      trace('pod-a', 'pod-b', '-o', 'json', '--minimal'),
      trace('pod-a', 'pod-b', '-o', 'json', '-s', 'failures/firewall-drop'),
      trace('pod-a', 'pod-b', '-o', 'json', '--proto', 'sctp'),
    ]);
    for (const { stdout } of traces) {
      validate(JSON.parse(stdout));
      expect(validate.errors).toBeNull();
    }
    const [whole, minimal] = traces;
    expect(minimal?.stdout).toBe(whole?.stdout);
    validate({ ...JSON.parse(whole?.stdout ?? ''), more: 1 });
    expect(validate.errors).not.toBeNull();
  });
});

describe('what the command line says', () => {
  it('is blamed for itself', async () => {
    const wrong = async (...args: string[]) => (await trace('pod-a', 'pod-b', ...args)).stderr;
    expect(await wrong('--break', 'foo')).toMatch(
      /^error: --break foo: expected ENDPOINT: COMMAND\n/,
    );
    expect(await wrong('--set', 'spec.network.plugin=bridge')).toMatch(
      /^error: --set spec\.network\.plugin=bridge: .*\n {2}Leave out "spec\."/,
    );
    expect(await wrong('--set', 'metadata.name=x')).toMatch(
      /^error: --set metadata\.name=x: only /,
    );
    expect(await wrong('--set', '__proto__.x=1')).toMatch(/^error: --set __proto__\.x=1: /);
    expect(await wrong('--set', 'network.podCIDR=224.0.0.0/8')).toMatch(
      /^error: --set network\.podCIDR=224\.0\.0\.0\/8: /,
    );
    const { stdout } = await trace('pod-a', 'pod-b', '--break', 'pod-b: iptables -A INPUT -j DROP');
    expect(stdout).toMatch(/^By +fault: a command of the command line, --break pod-b: iptables/m);
  });
});

describe('what was read', () => {
  it('can be changed and broken before the packet is sent', async () => {
    const changed = await trace('pod-a', 'pod-b', '--set', 'network.backend=host-gw');
    expect(changed.code).toBe(0);
    expect(changed.stdout).toMatch(/flannel host-gw\n/);
    const plugin = await trace('pod-a', 'pod-b', '--set', 'network.plugin=bridge');
    expect(plugin).toMatchObject({ code: 0, stderr: '' });
    expect(plugin.stdout).toMatch(/bridge static-routes\n/);
    const broken = await trace('pod-a', 'pod-b', '--break', 'node/node-2: ip link set cni0 down');
    expect(broken.code).toBe(1);
    const declared = ['client', 'server:9090', '-s', 'failures/unknown-listener'];
    expect((await trace(...declared, '--listen', 'declared')).stdout).toMatch(/✘ refused/);
  });
});

describe('a fast start', () => {
  /** Tells on stderr, when all is done, whether Node has loaded its crypto module. */
  const tellsCrypto = [
    '--import',
    'data:text/javascript,process.on("exit",()=>process.stderr.write(String(process.moduleLoadList.includes("NativeModule crypto"))))',
  ];
  const loadsCrypto = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [...tellsCrypto, bin, 'trace', ...args])).stderr;

  it('loads crypto only where a name of the plugin is a hash', async () => {
    expect(await loadsCrypto('pod-a', 'pod-b')).toBe('false');
    const file = join(import.meta.dirname, '../../scenarios/outside/bridge-masquerade.yaml');
    expect(await loadsCrypto('pod-a', 'external', '-f', file)).toBe('true');
  });
});
