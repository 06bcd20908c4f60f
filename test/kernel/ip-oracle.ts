/** Runs `ip` in a network namespace of its own, and takes its answers apart. */
import { execFileSync } from 'node:child_process';

const MARK = '@@section@@';
const NEXT = '@@next@@';
const FAILED = '@@failed@@';

/** What became of one line of `ip -batch`. */
export interface Answer {
  /** What it printed; undefined when it printed nothing. */
  readonly json?: readonly Record<string, unknown>[];
  /** What went wrong, as iproute2 says it. */
  readonly error?: string;
}

/** Shell commands in a private network and mount namespace; answers what they print. */
export const inPrivateNamespace = (script: string): string =>
  execFileSync('unshare', ['--net', '--mount', 'bash', '-e', '-s'], {
    input: `mount -t tmpfs tmpfs /run\nsysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1\n${script}`,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
    maxBuffer: 64 * 2 ** 20,
  });

/** Lines for `ip -batch`, each of which must work. */
export const ipLines = (lines: readonly string[]): string =>
  `ip -batch - <<'EOF'\n${lines.join('\n')}\nEOF\n`;

/** A section whose output `sections` gives back. */
export const section = (name: string, command: string): string =>
  `echo '${MARK}${name}'\n${command}\n`;

/**
 * Lines of which some may fail, each a call of its own: `ip -batch -force` gives up at the first
 * neighbour that is not there.
 */
export const tryLines = (name: string, lines: readonly string[]): string =>
  section(
    name,
    lines
      .map(
        (line) =>
          `${/^(?:bridge|ip|sysctl) /.test(line) ? line : `ip -j ${line}`} 2>/run/error && echo || { cat /run/error; echo '${FAILED}'; }`,
      )
      .join(`\necho '${NEXT}'\n`),
  );

export const sections = (output: string): ReadonlyMap<string, string> =>
  new Map(
    output
      .split(MARK)
      .slice(1)
      .map((part) => {
        const end = part.indexOf('\n');
        return [part.slice(0, end), part.slice(end + 1).trim()];
      }),
  );

/** What `tryLines` printed, line by line. */
export const answersOf = (output: ReadonlyMap<string, string>, name: string): readonly Answer[] =>
  (output.get(name) ?? '').split(NEXT).map((part): Answer => {
    const text = part.trim();
    if (text.endsWith(FAILED)) return { error: text.slice(0, -FAILED.length).trim() };
    return text === '' ? {} : { json: JSON.parse(text) };
  });

/** A section of JSON; `ip -j` prints nothing at all for an empty list. */
export const jsonOf = (
  output: ReadonlyMap<string, string>,
  name: string,
): readonly Record<string, unknown>[] => {
  const text = output.get(name) ?? '';
  return text === '' ? [] : JSON.parse(text);
};
