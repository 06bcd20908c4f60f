import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { k8snet } from './k8snet.ts';

const POD = `apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec: { containers: [{ name: web }] }
`;
const policy = (spec: string): string =>
  `---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: one }\nspec: ${spec}\n`;

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'k8snet-lint-'));
  const save = (name: string, text: string) => writeFileSync(join(cwd, name), text);
  save('good.yaml', POD);
  save('warning.yaml', POD + policy('{ podSelector: { matchLabels: { app: wbe } } }'));
  save(
    'info.yaml',
    POD +
      policy(
        '{ podSelector: {}, ingress: [{ ports: [{ port: 80 }] }, { ports: [{ port: 80 }] }] }',
      ),
  );
  save(
    'error.yaml',
    POD + policy('{ podSelector: {}, policyTypes: [Egress], egress: [{ ports: [{ port: 80 }] }] }'),
  );
  save('bad.yaml', 'apiVersion: v1\nkind: [\n');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('k8snet lint ends with', () => {
  it.each<[string, number]>([
    ['good.yaml', 0],
    ['info.yaml', 0],
    ['info.yaml --fail-on info', 1],
    ['warning.yaml', 1],
    ['warning.yaml --fail-on error', 0],
    ['warning.yaml --ignore policy-selects-nothing', 0],
    ['warning.yaml --only dns-denied', 0],
    ['error.yaml --fail-on error', 1],
    ['error.yaml --fail-on never', 0],
    ['bad.yaml --fail-on never', 2],
    ['nowhere.yaml', 2],
    ['good.yaml --only nonsense', 2],
    ['good.yaml -o nonsense', 2],
  ])('%s: %i', async (args, code) => {
    expect((await k8snet(['lint', ...args.split(' ')], { cwd })).code).toBe(code);
  });
});

describe('k8snet lint writes', () => {
  it('text that says where, what and what to do', async () => {
    const { stdout, stderr } = await k8snet(['lint', 'warning.yaml'], { cwd });
    expect(stdout).toBe(
      'warning.yaml:6:1: warning: NetworkPolicy default/one selects no Pod [policy-selects-nothing]\n  Select labels that Pods have: app=web.\n\n1 warning\n',
    );
    expect(stderr).toBe('');
  });

  it('data, as the schema has it, also of what cannot be read', async () => {
    const { stdout: schema } = await k8snet(['schema', 'lint']);
    const validate = new Ajv2020({ strict: false }).compile(JSON.parse(schema));
    for (const file of ['good.yaml', 'warning.yaml', 'error.yaml', 'bad.yaml']) {
      const { stdout } = await k8snet(['lint', file, '-o', 'json'], { cwd });
      expect(validate(JSON.parse(stdout)), JSON.stringify(validate.errors)).toBe(true);
    }
  });

  it('why it ends with 2, beside the errors that are findings', async () => {
    const { stdout, stderr } = await k8snet(['lint', 'bad.yaml', '--ignore', 'syntax'], { cwd });
    expect(stdout).toBe('nothing found\n');
    expect(stderr).toMatch(
      /^error: the input has errors, so that only what reading found is told\n/,
    );
  });

  it('SARIF with relative URIs', async () => {
    const { stdout } = await k8snet(['lint', './warning.yaml', '-o', 'sarif'], { cwd });
    const [run] = JSON.parse(stdout).runs;
    expect(run.results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('warning.yaml');
  });

  it('annotations, and nothing where there is nothing', async () => {
    const { stdout } = await k8snet(['lint', 'warning.yaml', '-o', 'github'], { cwd });
    expect(stdout).toMatch(/^::warning file=warning\.yaml,line=6,col=1,title=/);
    expect((await k8snet(['lint', 'good.yaml', '-o', 'github'], { cwd })).stdout).toBe('');
  });

  it('the same of standard input', async () => {
    const { stdout, code } = await k8snet(['lint', '-'], { input: POD });
    expect([stdout, code]).toEqual(['nothing found\n', 0]);
  });
});
