import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { tell, words } from '../../src/cli/tell.ts';
import { ASCII, UNICODE } from '../../src/explain/quote.ts';
import { PLAIN } from '../../src/render/style.ts';
import { traceTable } from '../../src/render/trace-table.ts';
import type { TraceTextOptions } from '../../src/render/trace-text.ts';
import { columns } from '../../src/render/width.ts';
import { openScenario } from '../../src/scenario/open.ts';

const table = async (
  input: string | { file: string; text: string },
  [from, to]: readonly [string, string],
  options: Partial<TraceTextOptions> = {},
): Promise<string> => {
  const opened = await openScenario([input]);
  if (!opened.ok) throw new Error('does not open');
  const answer = ask(opened.scenario, { from, to });
  if (!answer.ok) throw new Error('cannot be asked');
  const glyphs = options.glyphs ?? UNICODE;
  const { depth = 'default' } = options;
  return traceTable(tell(answer.facts, depth, opened.scenario, glyphs), {
    depth,
    width: 80,
    style: PLAIN,
    words,
    glyphs,
    ...options,
  });
};

const CHINESE = `
apiVersion: v1
kind: Pod
metadata: { name: a }
spec: { nodeName: n, containers: [{ name: app }] }
---
apiVersion: v1
kind: Pod
metadata: { name: b }
spec:
  nodeName: n
  containers: [{ name: 网络服务器容器的很长很长很长很长很长的名字, ports: [{ containerPort: 80 }] }]
`;

describe('a trace as a table', () => {
  it('looks as it always did', async () => {
    const text = await table('scenarios/basics/one-node.yaml', ['pod-a', 'pod-b']);
    await expect(text).toMatchFileSnapshot('../golden/outputs/one-node.table.txt');
  });

  it.each([40, 60, 80, 120])('fits %i columns, and says the same in each', async (width) => {
    const text = await table('scenarios/basics/two-nodes.yaml', ['pod-a', 'pod-b'], { width });
    expect(text.split('\n').filter((line) => columns(line) > width)).toEqual([]);
    expect(text.replaceAll(/\s+/g, '')).toContain('192.168.10');
    expect(text.match(/^\d+ /gm)).toHaveLength(50);
  });

  it('keeps every Chinese character, and its columns aligned', async () => {
    const input = { file: 'chinese.yaml', text: CHINESE };
    const text = await table(input, ['a', 'b']);
    const lines = text.split('\n');
    expect(lines.filter((line) => columns(line) > 80)).toEqual([]);
    const name = '网络服务器容器的很长很长很长很长很长的名字';
    expect(lines.join('').replaceAll(/[^\p{Script=Han}]/gu, '')).toContain(name);
  });

  it('has every step with -v, and nothing but ASCII where that is asked for', async () => {
    const options = { depth: 'verbose', glyphs: ASCII } as const;
    const text = await table('scenarios/basics/two-nodes.yaml', ['pod-a', 'pod-b'], options);
    expect(text.match(/^\d+ /gm)).toHaveLength(98);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  });
});
