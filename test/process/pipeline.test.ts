/**
 * The pipelines of docs/examples/ci, run as they are written: every shell step of the composite
 * action, of the workflow and of the GitLab jobs, in a git repository with the built command line on
 * its PATH. Left out, by name, is only what installs the package; `gh` is a recorder, and kustomize
 * and helm are stand-ins where the machine has none.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, type Result, run } from './k8snet.ts';

const ci = join(import.meta.dirname, '../../docs/examples/ci');

interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly uses?: string;
  readonly shell?: string;
  readonly env?: Record<string, string>;
  readonly run?: string;
}
interface Action {
  readonly inputs: Record<string, { readonly default?: string }>;
  readonly outputs: Record<string, { readonly value: string }>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}
interface Workflow {
  readonly jobs: Record<string, { readonly steps: readonly Step[] }>;
}
interface Job {
  readonly variables: Record<string, string>;
  readonly before_script: readonly string[];
  readonly script: readonly string[];
  readonly artifacts?: { readonly paths: readonly string[]; readonly reports: { junit: string } };
}

const open = <T>(file: string): T => load(readFileSync(join(ci, file), 'utf8')) as T;
const action = open<Action>('action.yml');
const workflow = open<Workflow>('workflow.yml');
const jobs = open<Record<string, Job>>('gitlab-ci.yml');

/** What is not run, and why: it needs the network. */
const INSTALLS = 'Install k8snet';
const INSTALL_LINE = 'npm install --global k8snet';

let folder = '';
let tools = '';

const tool = (name: string, script: string): void => {
  const file = join(tools, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
};

const onPath = (name: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const path = (): string => [tools, process.env['PATH']].join(delimiter);

const git = (at: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    cwd: at,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'k8snet-ci-'));
  tools = join(folder, 'tools');
  mkdirSync(tools);
  tool('k8snet', `exec '${process.execPath}' '${bin}' "$@"`);
  tool('gh', `printf '%s\\n' "$*" > "$GH_RECORD"`);
  if (!onPath('kustomize'))
    tool('kustomize', 'cd "$2/../../deploy" && cat shop.yaml; echo ---; cat policies.yaml');
  if (!onPath('helm'))
    tool(
      'helm',
      'sed "s/{{ .Release.Name }}/$2/; s/{{ .Values.namespace }}/shop/; s/{{ .Values.port }}/8080/" "$3"/templates/*',
    );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The example's repository with one commit, `main`, and a change on top of it. */
const repository = (name: string, change: (text: string) => string): string => {
  const at = join(folder, name, 'repository');
  mkdirSync(at, { recursive: true });
  cpSync(join(ci, 'project'), at, { recursive: true });
  git(at, 'init', '--quiet', '--initial-branch=main');
  git(at, 'add', '--all');
  git(at, 'commit', '--quiet', '-m', 'The shop');
  git(at, 'checkout', '--quiet', '-b', 'change');
  const policies = join(at, 'deploy/policies.yaml');
  writeFileSync(policies, change(readFileSync(policies, 'utf8')));
  git(at, 'add', '--all');
  git(at, 'commit', '--quiet', '--allow-empty', '-m', 'A change');
  return at;
};

const nothing = (text: string): string => text;
/** One line less: redis admits everyone on its port. */
const withoutOneLine = (text: string): string => {
  const line = '    - from: [{ podSelector: { matchLabels: { app: cart } } }]\n      ports';
  expect(text).toContain(line);
  return text.replace(line, '    - ports');
};

/** The expressions of GitHub that the files use. */
const evaluate = (
  text: string,
  inputs: Record<string, string>,
  outputs: ReadonlyMap<string, string>,
): string =>
  text.replace(/\$\{\{ ([\w.-]+) \}\}/g, (whole, expression: string) => {
    const [, input] = /^inputs\.([\w-]+)$/.exec(expression) ?? [];
    if (input !== undefined) return inputs[input] ?? '';
    const [, step, output] = /^steps\.([\w-]+)\.outputs\.([\w-]+)$/.exec(expression) ?? [];
    if (step !== undefined) return outputs.get(`${step}.${output}`) ?? '';
    throw new Error(`not an expression of these files: ${whole}`);
  });

interface ActionRun {
  readonly code: number | null;
  readonly said: string;
  readonly summary: string;
}

/** As a runner does it: `bash --noprofile --norc -eo pipefail`, until a step fails. */
const runAction = async (at: string, given: Record<string, string>): Promise<ActionRun> => {
  const inputs = Object.fromEntries(
    Object.entries(action.inputs).map(([name, { default: preset = '' }]) => [
      name,
      given[name] ?? preset,
    ]),
  );
  const outputs = new Map<string, string>();
  const [outputFile, summaryFile] = [join(at, '../output'), join(at, '../summary')];
  writeFileSync(summaryFile, '');
  const said: string[] = [];
  for (const { name, id, shell, env = {}, run: script = '' } of action.runs.steps) {
    if (name === INSTALLS) continue;
    expect(shell, name).toBe('bash');
    writeFileSync(outputFile, '');
    const values = Object.entries(env).map(([key, text]) => [key, evaluate(text, inputs, outputs)]);
    const { code, stdout, stderr } = await run(
      'bash',
      ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script],
      {
        cwd: at,
        env: {
          ...Object.fromEntries(values),
          PATH: path(),
          GITHUB_OUTPUT: outputFile,
          GITHUB_STEP_SUMMARY: summaryFile,
        },
      },
    );
    said.push(stdout, stderr);
    for (const [, key, value = ''] of readFileSync(outputFile, 'utf8').matchAll(/^(\w+)=(.*)$/gm))
      outputs.set(`${id}.${key}`, value);
    if (code !== 0)
      return { code, said: said.join(''), summary: readFileSync(summaryFile, 'utf8') };
  }
  return { code: 0, said: said.join(''), summary: readFileSync(summaryFile, 'utf8') };
};

/** All lines of a job in one shell that ends with the first that fails. */
const runJob = (name: string, at: string, base: string): Promise<Result> => {
  const job = jobs[name];
  if (!job) throw new Error(`no job ${name}`);
  expect(job.before_script).toEqual([INSTALL_LINE]);
  return run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', job.script.join('\n')], {
    cwd: at,
    env: { ...job.variables, CI_MERGE_REQUEST_DIFF_BASE_SHA: base, PATH: path() },
  });
};

const read = (at: string, name: string): string => readFileSync(join(at, name), 'utf8');

describe('the composite action', () => {
  it('passes a change that changes nothing', async () => {
    const at = repository('action-same', nothing);
    const { code, said, summary } = await runAction(at, { base: 'main' });
    expect(code, said).toBe(0);
    const {
      sarif = { value: '' },
      junit = { value: '' },
      markdown = { value: '' },
    } = action.outputs;
    expect(JSON.parse(read(at, sarif.value))).toMatchObject({ version: '2.1.0' });
    expect(read(at, junit.value)).toMatch(/<testsuites?\b[^>]* failures="0"/);
    expect(read(at, markdown.value)).toBe(summary);
    expect(summary).not.toBe('');
  });

  it('fails one that takes a line from a policy, and says what it opens', async () => {
    const at = repository('action-open', withoutOneLine);
    const { code, said, summary } = await runAction(at, { base: 'main' });
    expect(code, said).toBe(1);
    expect(said).toContain('::error::k8snet failed:  test diff');
    expect(read(at, 'k8snet-junit.xml')).toMatch(/<failure\b/);
    expect(said).toMatch(/^::error [^\n]*file=network\/expectations\.yaml,line=9/m);
    expect(summary).toContain('shop/redis');
  });

  it('compares nothing without a base', async () => {
    const at = repository('action-no-base', withoutOneLine);
    const { said } = await runAction(at, {});
    expect(said).toContain('::error::k8snet failed:  test ');
    expect(read(at, 'k8snet-diff.md')).toBe('');
  });
});

describe('the workflow', () => {
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  it('uses the action by its inputs', () => {
    const uses = steps.find((step) => step.uses?.includes('.github/actions/k8snet')) as
      | (Step & { with: Record<string, string> })
      | undefined;
    expect(Object.keys(uses?.with ?? {}).filter((name) => !(name in action.inputs))).toEqual([]);
  });

  it('comments with what the diff wrote', async () => {
    const [comment, ...others] = steps.filter((step) => step.run !== undefined);
    expect(others).toEqual([]);
    const record = join(folder, 'gh.txt');
    const { code, stderr } = await run('bash', ['-eo', 'pipefail', '-c', comment?.run ?? ''], {
      cwd: folder,
      env: { PATH: path(), PULL_REQUEST: '7', GH_RECORD: record },
    });
    expect(code, stderr).toBe(0);
    expect(readFileSync(record, 'utf8')).toBe(
      'pr comment 7 --body-file k8snet-diff.md --edit-last --create-if-none\n',
    );
  });
});

describe('the jobs of GitLab', () => {
  it('pass a change that changes nothing', async () => {
    const at = repository('gitlab-same', nothing);
    const { code, stdout, stderr } = await runJob('k8snet', at, git(at, 'rev-parse', 'main'));
    expect({ code, stderr }, stdout).toMatchObject({ code: 0 });
    const { paths = [], reports } = jobs['k8snet']?.artifacts ?? {};
    for (const name of [...paths, reports?.junit ?? ''])
      expect(existsSync(join(at, name))).toBe(true);
  });

  it('fail one that opens a connection', async () => {
    const at = repository('gitlab-open', withoutOneLine);
    const { code, stdout } = await runJob('k8snet', at, git(at, 'rev-parse', 'main'));
    expect({ code }, stdout).toEqual({ code: 1 });
    expect(stdout).toContain('failed: test diff');
    expect(read(at, 'k8snet-diff.md')).toContain('shop/redis');
  });

  it('take what kustomize and helm print', async () => {
    const same = repository('rendered-same', nothing);
    const passed = await runJob('k8snet-rendered', same, git(same, 'rev-parse', 'main'));
    expect({ code: passed.code, stderr: passed.stderr }, passed.stdout).toMatchObject({ code: 0 });

    const at = repository('rendered-open', withoutOneLine);
    const { code, stdout } = await runJob('k8snet-rendered', at, git(at, 'rev-parse', 'main'));
    expect({ code }, stdout).toEqual({ code: 1 });
    expect(stdout).toContain('redis');
  });
});
