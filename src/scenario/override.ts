/** `--set network.plugin=bridge`: fields of the Scenario, replaced before it is checked. */
import { atPlace, type Report } from '../cluster/diagnostic.ts';
import {
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
  type Path,
  valueAt,
} from '../cluster/kube-object.ts';
import { BACKENDS } from '../cluster/network.ts';
import type { Place } from '../cluster/place.ts';
import { emptyScenario } from './empty-scenario.ts';

/** `FIELD=VALUE` of the command line; one that a document has is blamed where it stands. */
export type Setting = string | { readonly text: string; readonly place: Place };

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

const exampleOf = (start: string): string =>
  `For example: ${start}network.plugin=bridge or ${start}nodes[0].podCIDR=10.1.0.0/24`;

/** What a document has beside `spec`, where all fields of `--set` are. */
const ROOTS = ['apiVersion', 'kind', 'metadata', 'spec'];

/** Why an override has no place, and what to write instead. */
const misplaced = (
  text: string,
  { path }: Override,
  start: string,
): { message: string; hint: string } => {
  const [root] = path;
  if (root === 'spec')
    return {
      message: 'fields are named below spec',
      hint: `Leave out "spec.": ${start}${text.trim().replace(/^spec\.?/, '')}`,
    };
  if (typeof root === 'string' && ROOTS.includes(root))
    return { message: `only fields below spec can be set, not ${root}`, hint: exampleOf(start) };
  return { message: 'there is no such place in the Scenario', hint: exampleOf(start) };
};

const isRoot = ({ path: [root] }: Override): boolean =>
  typeof root === 'string' && ROOTS.includes(root);

/**
 * The Scenario with overrides, in order; one is made where the input has none. Overridden fields
 * have their place on the command line, or where the document that sets them has it.
 */
export const withOverrides = (
  scenario: KubeObject | undefined,
  name: string,
  overrides: readonly Setting[],
  report: Report,
): KubeObject | undefined => {
  let object = scenario;
  const paths: Path[] = [];
  for (const setting of overrides) {
    const isTyped = typeof setting === 'string';
    const text = isTyped ? setting : setting.text;
    const place: Place = isTyped ? { file: `--set ${text}` } : setting.place;
    const start = isTyped ? '--set ' : '';
    const override = parseOverride(text);
    const below = object ?? emptyScenario(name);
    const spec =
      override && !isRoot(override)
        ? replaced(below.value['spec'], override.path, override.value)
        : undefined;
    if (!override || spec === undefined) {
      report({
        severity: 'error',
        code: 'bad-override',
        ...atPlace(place),
        ...(override
          ? misplaced(text, override, start)
          : { message: 'expected FIELD=VALUE', hint: exampleOf(start) }),
      });
      continue;
    }
    paths.push(override.path);
    const path: Path = ['spec', ...override.path];
    const value: JsonObject = { ...below.value, spec };
    object = {
      value,
      place: (wanted, of) =>
        // What leads to the field was made for it, unless it was there before.
        startsWith(wanted, path) ||
        (startsWith(path, wanted) && valueAt(below.value, wanted) === undefined)
          ? place
          : below.place(wanted, of),
    };
  }
  return object && withoutOldPlugin(object, scenario, paths, report);
};

const pluginOf = (network: Json | undefined): Json => {
  const backend = valueAt(network, ['backend']);
  const isBridge = BACKENDS.bridge.some((known) => known === backend);
  return valueAt(network, ['plugin']) ?? (isBridge ? 'bridge' : 'flannel');
};

/**
 * Another plugin brings its own back end and keys: those that a file has for the plugin before are
 * left out, unless they were set too.
 */
const withoutOldPlugin = (
  object: KubeObject,
  before: KubeObject | undefined,
  paths: readonly Path[],
  report: Report,
): KubeObject => {
  const isSet = (key: string): boolean =>
    paths.some(
      (path) => startsWith(path, ['network', key]) || (path.length === 1 && path[0] === 'network'),
    );
  const { spec } = object.value;
  const network = valueAt(spec, ['network']);
  const from = pluginOf(valueAt(before?.value, ['spec', 'network']));
  if (!isObject(spec) || !isObject(network) || !isSet('plugin')) return object;
  if (pluginOf({ plugin: network['plugin'] ?? null }) === from) return object;
  const { backend, config, ...rest } = network;
  const keepConfig = config !== undefined && isSet('config');
  if (config !== undefined && !keepConfig)
    report({
      severity: 'warning',
      code: 'left-out',
      message: `spec.network.config is for plugin ${String(from)}, and is left out`,
      path: 'spec.network.config',
      ...atPlace(object.place(['spec', 'network', 'config'])),
      hint: 'Set the keys of the other plugin: --set network.config=…',
    });
  const kept: JsonObject = {
    ...rest,
    ...(backend !== undefined && isSet('backend') && { backend }),
    ...(keepConfig && { config }),
  };
  return { ...object, value: { ...object.value, spec: { ...spec, network: kept } } };
};
