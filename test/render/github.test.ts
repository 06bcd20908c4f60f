import { describe, expect, it } from 'vitest';
import { type Annotation, githubAnnotation } from '../../src/render/github.ts';

const unescaped = (text: string): string =>
  text
    .replaceAll('%2C', ',')
    .replaceAll('%3A', ':')
    .replaceAll('%0A', '\n')
    .replaceAll('%0D', '\r')
    .replaceAll('%25', '%');

/** Reads a command as the runner does: the name up to a space, properties up to `::`, the message. */
const parsed = (text: string) => {
  const [, level, properties = '', message = ''] =
    /^::(\S+?)(?: (.*?))?::(.*)\n$/s.exec(text) ?? [];
  return {
    level,
    ...Object.fromEntries(
      properties
        .split(',')
        .filter((one) => one !== '')
        .map((one) => {
          const at = one.indexOf('=');
          return [one.slice(0, at), unescaped(one.slice(at + 1))];
        }),
    ),
    message: unescaped(message),
  };
};

describe('githubAnnotation', () => {
  it('names the place and the title', () => {
    expect(
      githubAnnotation({
        level: 'error',
        file: 'k8s/policies.yaml',
        line: 12,
        column: 5,
        title: 'checkout → cart',
        message: 'expected allowed\nfound denied',
      }),
    ).toBe(
      '::error file=k8s/policies.yaml,line=12,col=5,title=checkout → cart::expected allowed%0Afound denied\n',
    );
  });

  it('leaves out what is not known, and a line without a file', () => {
    expect(githubAnnotation({ level: 'notice', message: 'm' })).toBe('::notice::m\n');
    expect(githubAnnotation({ level: 'warning', message: 'm', line: 3, column: 4 })).toBe(
      '::warning::m\n',
    );
    expect(githubAnnotation({ level: 'warning', message: 'm', file: 'a', column: 4 })).toBe(
      '::warning file=a::m\n',
    );
  });

  it.each<[string, Annotation]>([
    [
      'commas and colons',
      { level: 'error', file: 'a,b:c.yaml', title: 'x: y, z', message: 'a:b,c' },
    ],
    [
      'percent signs',
      { level: 'error', file: '100%25.yaml', title: '50%', message: '%0A is no line' },
    ],
    ['lines', { level: 'error', title: 't', message: 'one\ntwo' }],
    [
      'an end of the command',
      { level: 'error', file: 'a::b', title: '::error::x', message: '::x::' },
    ],
    ['Chinese', { level: 'error', file: '网络.yaml', title: '网络', message: '不通' }],
  ])('is read back by the runner: %s', (_, annotation) => {
    expect(parsed(githubAnnotation(annotation))).toEqual(annotation);
  });

  it('is one line, and does nothing to a terminal', () => {
    const text = githubAnnotation({
      level: 'error',
      file: 'a\nb\u001b[2J',
      title: 'x\r\ny',
      message: 'one\r\ntwo\u0007',
    });
    expect(text).toBe(
      '::error file=a\\u000ab\\u001b[2J,title=x\\u000d\\u000ay::one%0Atwo\\u0007\n',
    );
  });

  it('names files as the repository does', () => {
    expect(githubAnnotation({ level: 'error', file: '.\\k8s\\a.yaml', message: 'm' })).toBe(
      '::error file=k8s/a.yaml::m\n',
    );
  });
});
