/** `--set network.plugin=bridge`: fields of the Scenario, replaced before it is checked. */
import { atPlace, type Report } from '../cluster/diagnostic.ts';
import {
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
  type Path,
} from '../cluster/kube-object.ts';
import { SCENARIO_API_VERSION } from './read/objects.ts';

interface Override {
  /** Below `spec`. */
  readonly path: Path;
  readonly value: Json;
}

const KEY = /(?:^|(?<=.)\.)([^.[\]=\\"]+(?:\\.[^.[\]=\\"]*)*)|\[(?:(\d+)|("(?:[^"\\]|\\.)*"))\]/y;

/** `a.b[0]["net.ipv4.ip_forward"]=1`; a dot inside a key is written `\.` or quoted in brackets. */
const parsePath = (text: string): { readonly path: Path; readonly end: number } | undefined => {
  const path: (string | number)[] = [];
  KEY.lastIndex = 0;
  let end = 0;
  for (let found = KEY.exec(text); found; found = KEY.exec(text)) {
    const [, plain, index, quoted] = found;
    if (plain !== undefined) path.push(plain.replaceAll(/\\(.)/g, '$1'));
    else if (index !== undefined) path.push(Number(index));
    else path.push(JSON.parse(quoted ?? '""') as string);
    end = KEY.lastIndex;
  }
  return path.length > 0 && text[end] === '=' ? { path, end } : undefined;
};

/** true, false, null, numbers, and JSON in brackets, braces or quotes; all else is text. */
const parseValue = (text: string): Json => {
  if (/^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?|[[{"].*)$/s.test(text)) {
    try {
      return JSON.parse(text) as Json;
    } catch {
      return text;
    }
  }
  return text;
};

const parseOverride = (text: string): Override | undefined => {
  const parsed = parsePath(text);
  return parsed && { path: parsed.path, value: parseValue(text.slice(parsed.end + 1)) };
};

/** A copy with one value replaced; objects and lists on the way are made. Undefined: no way. */
const replaced = (value: Json | undefined, path: Path, leaf: Json): Json | undefined => {
  const [key, ...rest] = path;
  if (key === undefined) return leaf;
  if (typeof key === 'number') {
    const list = value === undefined || value === null ? [] : value;
    if (!Array.isArray(list) || key > list.length) return undefined;
    const inner = replaced(list[key] as Json | undefined, rest, leaf);
    return inner === undefined ? undefined : [...list.slice(0, key), inner, ...list.slice(key + 1)];
  }
  const object = value === undefined || value === null ? {} : value;
  if (!isObject(object)) return undefined;
  const inner = replaced(Object.hasOwn(object, key) ? object[key] : undefined, rest, leaf);
  return inner === undefined ? undefined : { ...object, [key]: inner };
};

const startsWith = (path: Path, start: Path): boolean =>
  start.length <= path.length && start.every((key, at) => path[at] === key);

const emptyScenario = (name: string): KubeObject => ({
  value: { apiVersion: SCENARIO_API_VERSION, kind: 'Scenario', metadata: { name } },
  place: () => ({ file: name, line: 1, column: 1 }),
});

/**
 * The Scenario with overrides, in order; one is made where the input has none. Overridden fields
 * have their place on the command line.
 */
export const withOverrides = (
  scenario: KubeObject | undefined,
  name: string,
  overrides: readonly string[],
  report: Report,
): KubeObject | undefined => {
  let object = scenario;
  for (const text of overrides) {
    const file = `--set ${text}`;
    const override = parseOverride(text);
    const below = object ?? emptyScenario(name);
    const spec = override && replaced(below.value['spec'], override.path, override.value);
    if (!override || spec === undefined) {
      report({
        severity: 'error',
        code: 'bad-override',
        message: override
          ? `--set ${text}: there is no such place in the Scenario`
          : `--set ${text}: expected FIELD=VALUE`,
        ...atPlace({ file, line: 1, column: 1 }),
        hint: 'For example: --set network.plugin=bridge or --set nodes[0].podCIDR=10.1.0.0/24',
      });
      continue;
    }
    const path: Path = ['spec', ...override.path];
    const value: JsonObject = { ...below.value, spec };
    object = {
      value,
      place: (wanted, of) =>
        startsWith(wanted, path) ? { file, line: 1, column: 1 } : below.place(wanted, of),
    };
  }
  return object;
};
