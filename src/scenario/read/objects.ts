/** Found entries → Kubernetes objects and Scenarios, each with its places. */
import { atPlace, type Report } from '../../cluster/diagnostic.ts';
import type { KubeObject } from '../../cluster/kube-object.ts';
import type { FoundKind } from './pack.ts';
import type { ListNode } from './unit.ts';

export const SCENARIO_API_VERSION = 'k8snet/v1';

export interface ReadObjects {
  readonly objects: KubeObject[];
  readonly scenarios: KubeObject[];
  /** What `test` lays over a cluster; nobody else looks at them. */
  readonly expectations: KubeObject[];
  /** Of `objects`, the ConfigMaps that hold kube-proxy's configuration. */
  readonly proxyConfigs: readonly KubeObject[];
  /** Lets go of the objects' values, which may then not be asked for any more; places may. */
  readonly release: () => void;
}

/** Something found, with its places. */
export interface Placed {
  readonly is: FoundKind;
  readonly object: KubeObject;
  /** What was found where no object was. */
  readonly found: () => unknown;
  /** The list that it is an item of. */
  readonly list: ListNode | undefined;
}

/** Whether everything that an item was cut out of is a list. */
const isListed = (list: ListNode | undefined): boolean => {
  for (let node = list; node; node = node.parent) if (!node.bare && !node.header) return false;
  return true;
};

export interface Sorter extends Omit<ReadObjects, 'release'> {
  add(entry: Placed): void;
}

/** Sorts entries into Scenarios, Expectations and Kubernetes objects, in the order in which they come. */
export const createSorter = (report: Report): Sorter => {
  const objects: KubeObject[] = [];
  const scenarios: KubeObject[] = [];
  const expectations: KubeObject[] = [];
  const proxyConfigs: KubeObject[] = [];
  return {
    objects,
    scenarios,
    expectations,
    proxyConfigs,
    add: ({ is, object, found, list }) => {
      if (!isListed(list)) return;
      if (is === 'object' || (is === 'no-kind' && list?.header?.itemKind)) {
        objects.push(object);
      } else if (is === 'proxy-config') {
        objects.push(object);
        proxyConfigs.push(object);
      } else if (is === 'ours') {
        (object.value['kind'] === 'Expectations' ? expectations : scenarios).push(object);
      } else if (is === 'no-kind') {
        report({
          severity: 'warning',
          code: 'no-kind',
          message: 'has no kind, so it is no Kubernetes object; left out',
          ...atPlace(object.place([])),
          hint: 'Every object needs apiVersion, kind and metadata.name.',
        });
      } else {
        report({
          severity: 'error',
          code: 'not-an-object',
          message: `found ${String(found())} where a Kubernetes object belongs`,
          ...atPlace(object.place([])),
        });
      }
    },
  };
};
