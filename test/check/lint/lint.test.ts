import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { ALL_CODES } from '../../../src/check/lint/codes.ts';
import { lintSchema } from '../../../src/check/lint/schema.ts';
import { lintGithub } from '../../../src/render/lint/lint-github.ts';
import { lintSarif } from '../../../src/render/lint/lint-sarif.ts';
import { lintText as textOf } from '../../../src/render/lint/lint-text.ts';
import { PLAIN } from '../../../src/render/style.ts';
import { lintText, saidOf } from './lint-text.ts';

const pod = (name: string, labels: string, rest = ''): string =>
  `---\n{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: ${labels}}, spec: {containers: [{name: app${rest}}]}}\n`;

const policy = (name: string, spec: string, metadata = ''): string =>
  `---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}${metadata}}\nspec: ${spec}\n`;

const WEB = pod('web', '{app: web}', ', ports: [{name: http, containerPort: 80}]');
const DB = pod('db', '{app: db}');

describe('findings', () => {
  it.each<[string, string, string[]]>([
    [
      'a policy that selects nothing, with the labels that there are',
      WEB + policy('deny', '{podSelector: {matchLabels: {app: wbe}}}'),
      [
        'warning policy-selects-nothing 4:1 NetworkPolicy default/deny selects no Pod | Select labels that Pods have: app=web.',
      ],
    ],
    [
      'one of a namespace without Pods',
      WEB + policy('deny', '{podSelector: {}}', ', namespace: elsewhere'),
      [
        'warning policy-selects-nothing 4:1 NetworkPolicy elsewhere/deny selects no Pod: namespace elsewhere has none | Give it the namespace of the Pods that it is meant for (metadata.namespace).',
      ],
    ],
    [
      'a peer of a namespace that is not there',
      WEB +
        policy(
          'scrape',
          '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: ops}}}]}]}',
        ),
      [
        'info policy-peer-matches-nobody 7:43 NetworkPolicy default/scrape: a peer of ingress[0] matches nobody: no namespace of the input has these labels | Give the input of that namespace too, or name labels that namespaces have; kubernetes.io/metadata.name is one that each has.',
      ],
    ],
    [
      'a named port of ingress, and of egress to Pods that have none',
      WEB +
        DB +
        policy(
          'ports',
          '{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: web}, {port: http}, {port: http, protocol: UDP}]}]}',
        ),
      [
        'warning policy-port-unknown 9:67 NetworkPolicy default/ports: ingress[0] names port web, which no TCP port of its Pods is called | Their ports are called http; or write the number.',
        'warning policy-port-unknown 9:94 NetworkPolicy default/ports: ingress[0] names port http, which no UDP port of its Pods is called | Their ports are called http; or write the number.',
      ],
    ],
    [
      'two equal policies: the later one alone',
      WEB + policy('a', '{podSelector: {}}') + policy('b', '{podSelector: {}}'),
      [
        'warning policy-shadowed 9:1 NetworkPolicy default/b changes nothing: NetworkPolicy default/a isolates the same Pods and admits all that it admits | Remove it; or, if it was to restrict, narrow the others: policies only add up.',
      ],
    ],
    [
      'no default deny beside policies that admit',
      WEB +
        policy('deny', '{podSelector: {}}') +
        policy('web', '{podSelector: {}, ingress: [{ports: [{port: 80}]}]}'),
      [],
    ],
    [
      'no block with an exception that a narrower block lies in',
      WEB +
        policy(
          'a',
          '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]}',
        ) +
        policy('b', '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.2.0/24}}]}]}'),
      [],
    ],
    [
      'a deny of all egress, as a warning: nothing is to be reached',
      WEB + policy('deny', '{podSelector: {}, policyTypes: [Egress]}'),
      [
        "warning dns-denied 4:1 Pod default/web cannot ask the cluster's DNS, assumed in kube-system, over UDP and TCP: no rule of the policies that isolate it (default/deny) admits it | Add an egress rule for UDP and TCP 53 to namespaceSelector kubernetes.io/metadata.name=kube-system with podSelector k8s-app=kube-dns.",
      ],
    ],
    [
      'DNS over UDP alone',
      WEB +
        policy(
          'out',
          '{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}',
        ),
      [
        "info dns-denied 4:1 Pod default/web cannot ask the cluster's DNS, assumed in kube-system, over TCP: no rule of the policies that isolate it (default/out) admits it | Add an egress rule for UDP and TCP 53 to namespaceSelector kubernetes.io/metadata.name=kube-system with podSelector k8s-app=kube-dns.",
      ],
    ],
    [
      'rules for a DNS that is somewhere else, as an info where nobody knows',
      WEB +
        policy(
          'out',
          '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: 53, protocol: UDP}]}]}',
        ),
      [
        "info dns-denied 4:1 Pod default/web cannot ask the cluster's DNS, assumed in kube-system, over UDP and TCP: no rule of the policies that isolate it (default/out) admits it | Add an egress rule for UDP and TCP 53 to namespaceSelector kubernetes.io/metadata.name=kube-system with podSelector k8s-app=kube-dns.",
      ],
    ],
    [
      'a policy that nobody enforces',
      `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: one }
spec: { network: { plugin: flannel } }
---
${WEB}${policy('deny', '{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}')}`,
      [
        'warning policy-not-enforced 9:1 The policy is not enforced: the flannel plugin enforces no policy, and nothing else does | Run something that enforces policies beside the plugin (spec.policyEngine: nftables stands for it), or use a plugin that does.',
      ],
    ],
    [
      'what reading finds, at its place',
      `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: wbe}, ports: [{port: 80}]}}\n${WEB}`,
      ['warning selects-nothing 1:1 Service web: selects no Pod'],
    ],
    ['what cannot be read at all', 'apiVersion: v1\nkind: [', ['error syntax']],
  ])('%s', async (name, yaml, expected) => {
    const report = await lintText(yaml);
    const said = saidOf(report);
    // How a parser words it is its own.
    const isCode = name === 'what cannot be read at all';
    expect(isCode ? said.map((line) => line.slice(0, 12)) : said).toEqual(expected);
    const validate = new Ajv2020({ strict: false }).compile(lintSchema());
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
  });

  it('are those that are asked for', async () => {
    const yaml =
      WEB +
      policy('deny', '{podSelector: {}, policyTypes: [Egress]}') +
      policy('b', '{podSelector: {matchLabels: {x: z}}}');
    const codes = async (options: Parameters<typeof lintText>[1]) =>
      (await lintText(yaml, options)).findings.map(({ code }) => code);
    expect(await codes({})).toEqual(['dns-denied', 'policy-selects-nothing']);
    expect(await codes({ only: ['dns-denied'] })).toEqual(['dns-denied']);
    expect(await codes({ ignore: ['dns-denied'] })).toEqual(['policy-selects-nothing']);
  });
});

const IGNORED = (at: string, text: string): string =>
  `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default${at === 'namespace' ? `, annotations: {k8snet/lint-ignore: "${text}"}` : ''}}\n${WEB}${policy(
    'deny',
    '{podSelector: {}, policyTypes: [Egress]}',
    at === 'policy' ? `, annotations: {k8snet/lint-ignore: "${text}"}` : '',
  )}`;

describe('suppressions', () => {
  it.each(['policy', 'namespace'])('by the annotation of the %s', async (at) => {
    const report = await lintText(IGNORED(at, 'dns-denied: no names are used'));
    expect(report.findings.map(({ code, suppressed }) => [code, suppressed])).toEqual([
      ['dns-denied', 'no names are used'],
    ]);
    expect(report.summary).toEqual({ errors: 0, warnings: 0, infos: 0, suppressed: 1 });
  });

  it('by that of a Pod template, and of the Scenario', async () => {
    const workload =
      '---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}, annotations: {k8snet/lint-ignore: "dns-denied: none"}}, spec: {containers: [{name: app}]}}}}\n';
    const deny = policy('deny', '{podSelector: {}, policyTypes: [Egress]}');
    const scenario =
      'apiVersion: k8snet/v1\nkind: Scenario\nmetadata: {name: one, annotations: {k8snet/lint-ignore: "dns-denied: none; selects-nothing: later"}}\n---\n{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: wbe}, ports: [{port: 80}]}}\n';
    expect((await lintText(workload + deny)).summary.suppressed).toBe(1);
    const { findings, summary } = await lintText(scenario + WEB + deny);
    expect(summary.suppressed).toBe(2);
    expect(findings).toHaveLength(2);
  });

  it('are findings themselves, without a reason, of no code, or for nothing', async () => {
    const report = await lintText(
      IGNORED('policy', 'dns-denied; dns-denid: because; policy-shadowed: because'),
    );
    expect(saidOf(report).filter((line) => line.includes('ignore-'))).toEqual([
      'warning ignore-unknown-code 10:58 NetworkPolicy deny: k8snet/lint-ignore names "dns-denid", which is no code | Did you mean dns-denied?',
      'warning ignore-unused 10:58 NetworkPolicy deny: k8snet/lint-ignore suppresses no policy-shadowed: there is none | Remove it, so that it does not hide the next one.',
      'warning ignore-without-reason 10:58 NetworkPolicy deny: k8snet/lint-ignore gives no reason for dns-denied, and suppresses nothing | Write dns-denied: and why it is right as it is.',
    ]);
    expect(report.summary).toMatchObject({ warnings: 4, suppressed: 0 });
  });

  it('of what is not asked for are not called unused', async () => {
    const yaml = IGNORED('policy', 'policy-shadowed: because');
    expect((await lintText(yaml, { only: ['dns-denied'] })).findings).toHaveLength(1);
  });
});

describe('the forms', () => {
  const bad = `${WEB}${policy('deny', '{podSelector: {matchLabels: {app: wbe}}}')}${policy(
    'quiet',
    '{podSelector: {}, policyTypes: [Egress]}',
    ', annotations: {k8snet/lint-ignore: "dns-denied: no names are used"}',
  )}`;

  it('for people', async () => {
    expect(textOf(await lintText(bad), PLAIN)).toBe(
      `shop.yaml:4:1: warning: NetworkPolicy default/deny selects no Pod [policy-selects-nothing]
  Select labels that Pods have: app=web.

1 warning; 1 suppressed
`,
    );
    expect(textOf(await lintText(WEB), PLAIN)).toBe('nothing found\n');
    // A terminal breaks no word, and fewer columns lose nothing.
    const narrow = textOf(await lintText(bad), PLAIN, 40);
    expect(narrow).toBe(
      `shop.yaml:4:1: warning:
    NetworkPolicy default/deny selects
    no Pod [policy-selects-nothing]
  Select labels that Pods have: app=web.

1 warning; 1 suppressed
`,
    );
    const tagged = (tag: string) => (text: string) => `<${tag}>${text}</${tag}>`;
    const style = { ...PLAIN, label: tagged('b'), edit: tagged('y'), faint: tagged('i') };
    expect(
      textOf(await lintText(bad), style, 40)
        .split('\n')
        .slice(0, 4),
    ).toEqual([
      '<b>shop.yaml:4:1: </b><y>warning</y>:',
      '    NetworkPolicy default/deny selects',
      '    no Pod <i>[policy-selects-nothing]</i>',
      '  <i>Select labels that Pods have: app=web.</i>',
    ]);
  });

  it('for GitHub, at the lines', async () => {
    expect(lintGithub(await lintText(bad))).toBe(
      '::warning file=shop.yaml,line=4,col=1,title=k8snet policy-selects-nothing::NetworkPolicy default/deny selects no Pod%0ASelect labels that Pods have: app=web.\n',
    );
  });

  /** What SARIF 2.1.0 and code scanning want of a log, written down here. */
  it('as SARIF', async () => {
    const log = JSON.parse(lintSarif(await lintText(bad), ALL_CODES, '1.2.3'));
    expect(log.version).toBe('2.1.0');
    const [run] = log.runs;
    const { name, version, rules } = run.tool.driver;
    expect([name, version]).toEqual(['k8snet', '1.2.3']);
    for (const { id, shortDescription, help } of rules) {
      expect(shortDescription.text).toMatch(/\S/);
      expect(help.text).toContain(`docs/lint.md#${id} `);
    }
    expect(run.results).toHaveLength(2);
    for (const { ruleId, ruleIndex, level, message, locations } of run.results) {
      expect(rules[ruleIndex].id).toBe(ruleId);
      expect(['none', 'note', 'warning', 'error']).toContain(level);
      expect(message.text).toMatch(/\S/);
      const [{ physicalLocation }] = locations;
      expect(physicalLocation.artifactLocation.uri).toBe('shop.yaml');
      expect(physicalLocation.region.startLine).toBeGreaterThanOrEqual(1);
      expect(physicalLocation.region.startColumn).toBeGreaterThanOrEqual(1);
    }
    expect(run.results[1].suppressions).toEqual([
      { kind: 'inSource', justification: 'no names are used' },
    ]);
    expect(run.results[0].suppressions).toBeUndefined();
  });

  it('as SARIF, with URIs of odd paths, and none of what is no file', async () => {
    const { findings, summary, ...rest } = await lintText(bad);
    const uris = (file: string) => {
      const moved = findings.map((finding) => ({ ...finding, file }));
      const log = JSON.parse(lintSarif({ ...rest, summary, findings: moved }, ALL_CODES, '1'));
      return log.runs[0].results[0].locations[0]?.physicalLocation.artifactLocation.uri;
    };
    expect(
      ['./a b/ü.yaml', 'a\\b.yaml', '/tmp/a b.yaml', '-', 'git:main:a.yaml'].map(uris),
    ).toEqual(['a%20b/%C3%BC.yaml', 'a/b.yaml', 'file:///tmp/a%20b.yaml', undefined, undefined]);
  });
});
