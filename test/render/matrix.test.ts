import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { collect } from '../../src/check/matrix/all-pairs.ts';
import type { GroupBy } from '../../src/check/matrix/matrix.ts';
import { openMatrix } from '../../src/check/matrix/open-matrix.ts';
import { rolesOf } from '../../src/check/matrix/roles.ts';
import { matrixWords } from '../../src/explain/messages/en/matrix.ts';
import { UNICODE } from '../../src/explain/quote.ts';
import type { MatrixForm, ShownMatrix } from '../../src/render/matrix/form.ts';
import { matrixCsv } from '../../src/render/matrix/matrix-csv.ts';
import { matrixDot } from '../../src/render/matrix/matrix-dot.ts';
import { matrixGrid } from '../../src/render/matrix/matrix-grid.ts';
import { matrixJson } from '../../src/render/matrix/matrix-json.ts';
import { matrixList } from '../../src/render/matrix/matrix-list.ts';
import { matrixSvg } from '../../src/render/matrix/matrix-svg.ts';
import { matrixTable } from '../../src/render/matrix/matrix-table.ts';
import { PLAIN } from '../../src/render/style.ts';
import { deployment, policy } from '../check/matrix/clusters.ts';
import { clusterOf } from '../cluster/cluster-of.ts';

const form = (width = 80): MatrixForm => ({
  width,
  style: PLAIN,
  glyphs: UNICODE,
  words: matrixWords,
});

const shown = async (yaml: string, groupBy: GroupBy = 'workload'): Promise<ShownMatrix> => {
  const cluster = await clusterOf(yaml);
  const matrix = openMatrix(cluster, { groupBy });
  const roles = rolesOf(matrix);
  if (!roles) throw new Error('too many');
  return { peers: matrix.peers, groupBy, policies: cluster.policies.length, roles };
};

const app = (name: string) => `{podSelector: {matchLabels: {app: ${name}}}}`;
const subject = (name: string) => `podSelector: {matchLabels: {app: ${name}}}`;

/** A chain of four, each of which the next one before it may ask. */
const chain = [
  ...['a', 'b', 'c', 'd'].map((name) => deployment(name, `app: ${name}`)),
  policy(
    'deny',
    'podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{podSelector: {}}]}]',
  ),
  policy(
    'b',
    `${subject('b')}, ingress: [{from: [${app('a')}], ports: [{port: 80, endPort: 90}, {port: 443}]}]`,
  ),
  policy(
    'c',
    `${subject('c')}, ingress: [{from: [${app('b')}], ports: [{port: 53, protocol: UDP}]}]`,
  ),
  policy('d', `${subject('d')}, ingress: [{from: [${app('c')}]}]`),
].join('');

describe('the grid', () => {
  it('has the ports in its cells where there is room', async () => {
    const lines = matrixGrid(await shown(chain), form()) ?? [];
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "                                   1  2          3       4    5
      1 default/a[Deployment]            -  80-90,443  ·       ·    ·
      2 default/b[Deployment]            ·  -          53/udp  ·    ·
      3 default/c[Deployment]            ·  ·          -       all  ·
      4 default/d[Deployment]            ·  ·          ·       -    ·
      5 ipblock:0.0.0.0-255.255.255.255  ·  ·          ·       ·

      all  every port of every protocol
      ·    nothing
      -    itself
      Rows send, columns are sent to; a number is the peer of that row.
      Ports are of TCP where no protocol stands behind them."
    `);
  });

  it('has letters where there is less, with what they mean', async () => {
    const lines = matrixGrid(await shown(chain), form(46)) ?? [];
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(46);
    const text = lines.join('\n');
    expect(text).toContain('a  TCP 80-90,443\n');
    expect(text).toContain('b  UDP 53\n');
    expect(text).toContain('*  every port of every protocol\n');
    expect(text).toMatch(/^1 default\/a\[Deployment\] +- {2}a {2}· {2}· {2}·$/m);
  });

  it('tells peers that fare alike once', async () => {
    const same = ['x', 'y', 'z'].map((name) => deployment(name, `app: ${name}`)).join('');
    const lines = matrixGrid(await shown(same), form()) ?? [];
    expect(lines[1]).toMatch(/^1 default\/\* +all {2}all$/);
  });

  it('is none for many peers', async () => {
    const many = Array.from(
      { length: 40 },
      (_, at) =>
        deployment(`w${at}`, `app: w${at}`) +
        policy(`w${at}`, `${subject(`w${at}`)}, ingress: [{ports: [{port: ${at + 1}}]}]`),
    ).join('');
    const matrix = await shown(many);
    expect(matrixGrid(matrix, form())).toBeUndefined();
    expect(matrixTable(matrix, form())).toContain('To default/w7[Deployment]\n  TCP 8');
  });
});

describe('the list', () => {
  it('is by the side that takes fewer lines, and leaves out what most have not', async () => {
    expect(matrixList(await shown(chain), form()).join('\n')).toMatchInlineSnapshot(`
      "From default/a[Deployment]
        TCP 80-90,443  to default/b[Deployment]
      From default/b[Deployment]
        UDP 53         to default/c[Deployment]
      From default/c[Deployment]
        all            to default/d[Deployment]
      From default/d[Deployment], ipblock:0.0.0.0-255.255.255.255
        nothing"
    `);
  });

  it('tells what most have last, and who has nothing', async () => {
    const yaml = [
      ...['a', 'b', 'c', 'd', 'e'].map((name) => deployment(name, `app: ${name}`)),
      policy('b', `${subject('b')}, policyTypes: [Ingress]`),
      policy('c', `${subject('c')}, ingress: [{ports: [{port: 80}]}]`),
    ].join('');
    const lines = matrixList(await shown(yaml), form());
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "To default/a[Deployment], default/d[Deployment], default/e[Deployment]
        all     from everything
      To default/b[Deployment]
        nothing
      To default/c[Deployment]
        TCP 80  from everything
      To ipblock:0.0.0.0-255.255.255.255
        all     from everything"
    `);
  });
});

/** Everything that means something to one of the forms. */
const NAME = 'a"b<c>&\\\u001b[31m,d';
const hostile = deployment(JSON.stringify(NAME), 'app: x');

describe('names from anywhere', () => {
  it('do nothing to CSV, DOT, SVG, JSON or a terminal', async () => {
    const cluster = await clusterOf(hostile + deployment('b', 'app: b'));
    const matrix = openMatrix(cluster);
    const whole = collect(matrix);
    const roles = rolesOf(matrix);
    if (!roles) throw new Error('too many');
    const show = { peers: matrix.peers, groupBy: 'workload', policies: 0, roles } as const;
    const texts = {
      csv: [...matrixCsv(whole.connections)].join(''),
      dot: matrixDot(whole, matrixWords),
      svg: matrixSvg(show, form(), 'a <title> & "more"'),
      json: [...matrixJson(whole, whole.connections)].join(''),
      table: matrixTable(show, form()),
    };
    for (const [name, text] of Object.entries(texts))
      expect([name, /[^\P{Cc}\n]/u.test(text)]).toEqual([name, false]);
    expect(texts.csv).toContain('"default/a""b<c>&\\\\u001b[31m,d[Deployment]"');
    expect(texts.dot).toContain(String.raw`a\"b<c>&\\\\u001b[31m,d`);
    expect(texts.svg).toContain('a &lt;title&gt; &amp; &quot;more&quot;');
    expect(JSON.parse(texts.json)).toEqual(JSON.parse(JSON.stringify(whole)));
  });

  it('leave the picture well-formed', async () => {
    const svg = matrixSvg(await shown(hostile + deployment('数据库', 'app: b')), form(), 'x');
    const open: string[] = [];
    for (const [, close, tag = '', , self] of svg.matchAll(
      /<(\/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(\/?)>/g,
    ))
      if (close) expect(open.pop()).toBe(tag);
      else if (!self) open.push(tag);
    expect(open).toEqual([]);
    // What is no tag has no bracket.
    const texts = svg.replace(/<\/?[a-z]+(?: [a-zA-Z:-]+="[^"<]*")*\/?>/g, '');
    expect(texts).not.toMatch(/[<>]/);
    expect(texts).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/);
  });

  const hasGraphviz = spawnSync('dot', ['-V']).status === 0;
  it.skipIf(!hasGraphviz)('leave the graph one that Graphviz reads', async () => {
    const whole = collect(openMatrix(await clusterOf(hostile + chain)));
    const { status, stderr } = spawnSync('dot', ['-Tsvg'], {
      input: matrixDot(whole, matrixWords),
    });
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
  });
});
