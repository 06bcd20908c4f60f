/** Objects of the input with patches: a strategic merge, as `kubectl patch` does it. */
import { atPlace, type Report } from '../cluster/diagnostic.ts';
import {
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
  type Path,
} from '../cluster/kube-object.ts';
import { emptyScenario } from './empty-scenario.ts';

/** A patch of one object, by its kind and name; of the Scenario, which there is one of, by kind. */
export interface ObjectPatch {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly patch: Readonly<Record<string, unknown>>;
  /** One is made of the patch alone where the input has none. */
  readonly create?: true;
}

/**
 * Lists of maps that are merged, and what tells their items apart. Of ports the protocol counts as
 * well: 53/udp does not replace 53/tcp.
 */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ports: ['containerPort', 'protocol'],
  nodes: ['name'],
};

/** Ports of a Service are told apart by another field than those of a container. */
const SERVICE_PORTS: readonly string[] = ['port', 'protocol'];

const own = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

const isSame = (a: Json, b: Json, keys: readonly string[]): boolean =>
  isObject(a) && isObject(b) && keysOf(a, keys).every((key) => own(a, key) === own(b, key));

const keysOf = (item: JsonObject, keys: readonly string[]): readonly string[] =>
  keys === MERGE_KEYS['ports'] && own(item, 'containerPort') === undefined ? SERVICE_PORTS : keys;

const mergeLists = (
  list: readonly Json[],
  patch: readonly Json[],
  keys: readonly string[],
): Json[] => {
  const merged = [...list];
  for (const item of patch) {
    const at = merged.findIndex((one) => isSame(one, item, keys));
    if (at < 0) merged.push(item);
    else merged[at] = merge(merged[at], item, '');
  }
  return merged;
};

/** What is null in the patch is removed; lists without a merge key are replaced. */
const merge = (value: Json | undefined, patch: Json, field: string): Json => {
  const keys = Object.hasOwn(MERGE_KEYS, field) ? MERGE_KEYS[field] : undefined;
  if (Array.isArray(patch)) {
    return Array.isArray(value) && keys ? mergeLists(value, patch, keys) : patch;
  }
  if (!isObject(patch)) return patch;
  const result: Record<string, Json> = isObject(value) ? { ...value } : {};
  for (const [name, item] of Object.entries(patch)) {
    if (item === null) delete result[name];
    else result[name] = merge(own(result, name), item, name);
  }
  return result;
};

const textAt = (value: Json | undefined, ...path: Path): string | undefined => {
  let found = value;
  for (const key of path) found = isObject(found) ? own(found, String(key)) : undefined;
  return typeof found === 'string' ? found : undefined;
};

const isMeant = ({ value }: KubeObject, { kind, namespace, name }: ObjectPatch): boolean =>
  textAt(value, 'kind') === kind &&
  textAt(value, 'metadata', 'name') === name &&
  (textAt(value, 'metadata', 'namespace') ?? 'default') === (namespace ?? 'default');

const patched = (object: KubeObject, { patch }: ObjectPatch): KubeObject => ({
  value: merge(object.value, patch as JsonObject, '') as JsonObject,
  place: object.place,
});

const made = ({ kind, name, patch }: ObjectPatch): KubeObject => ({
  value: patch as JsonObject,
  place: () => ({ file: `patch of ${kind} ${name}` }),
});

/** The Scenario with its patches; one is made where the input has none. */
export const patchScenario = (
  scenario: KubeObject | undefined,
  patches: readonly ObjectPatch[],
): KubeObject | undefined =>
  patches
    .filter(({ kind }) => kind === 'Scenario')
    .reduce<KubeObject | undefined>((object, one) => {
      const below = object ?? emptyScenario(one.name);
      const { metadata: _, ...patch } = one.patch;
      return patched(below, { ...one, patch });
    }, scenario);

/** The other objects with their patches; one for an object that is not there is reported. */
export const patchObjects = (
  objects: readonly KubeObject[],
  patches: readonly ObjectPatch[],
  report: Report,
): KubeObject[] =>
  patches
    .filter(({ kind }) => kind !== 'Scenario')
    .reduce(
      (list, one) => {
        const at = list.findIndex((object) => isMeant(object, one));
        const object = list[at];
        if (!object && one.create) return list.concat(made(one));
        if (!object) {
          const name = one.namespace === undefined ? one.name : `${one.namespace}/${one.name}`;
          report({
            severity: 'error',
            code: 'bad-patch',
            message: `there is no ${one.kind} ${name} to patch`,
            ...atPlace({ file: 'patch', line: 1, column: 1 }),
          });
          return list;
        }
        return list.with(at, patched(object, one));
      },
      [...objects],
    );
