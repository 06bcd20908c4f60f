import { describe, expect, it } from 'vitest';
import { diagnosticsText, skippedText } from '../../src/render/diagnostics-text.ts';
import { PLAIN } from '../../src/render/style.ts';

describe('diagnosticsText', () => {
  it('says severity, place, what and what to do', () => {
    const text = diagnosticsText(
      [
        {
          severity: 'error',
          code: 'bad-value',
          message: 'spec.network.plugin is "fannel"; expected one of bridge, flannel',
          file: 'a.yaml',
          line: 7,
          column: 14,
          hint: 'Did you mean flannel?',
        },
        { severity: 'warning', code: 'odd', message: 'something is odd' },
      ],
      PLAIN,
    );
    expect(text).toBe(
      [
        'error: a.yaml:7:14: spec.network.plugin is "fannel"; expected one of bridge, flannel',
        '  Did you mean flannel?',
        'warning: something is odd',
        '',
      ].join('\n'),
    );
  });

  it('prints names harmlessly', () => {
    const message = 'Pod \u001b]0;owned\u0007 is odd';
    expect(
      diagnosticsText(
        [{ severity: 'warning', code: 'odd', message, file: '\u001b[2J.yaml', line: 1, column: 1 }],
        PLAIN,
      ),
    ).toBe('warning: \\u001b[2J.yaml:1:1: Pod \\u001b]0;owned\\u0007 is odd\n');
  });
});

describe('skippedText', () => {
  it('counts kinds, and is silent about none', () => {
    expect(
      skippedText(
        new Map([
          ['ConfigMap', 3],
          ['Secret', 1],
        ]),
        PLAIN,
      ),
    ).toBe('skipped: 3 ConfigMap, 1 Secret\n');
    expect(skippedText(new Map(), PLAIN)).toBe('');
  });
});
