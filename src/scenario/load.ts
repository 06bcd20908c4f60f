/** Texts → Kubernetes objects and one checked Scenario; parsers are loaded only where needed. */
import { placeText } from '../cluster/cluster.ts';
import { atPlace, type Report } from '../cluster/diagnostic.ts';
import { formatPath, type KubeObject, valueAt, valueBelow } from '../cluster/kube-object.ts';
import { LINT_IGNORE } from '../cluster/lint-annotation.ts';
import type { LintIgnore } from '../cluster/lint-ignore.ts';
import { WITHOUT_EFFECT } from '../cluster/service/kube-proxy-object.ts';
import { type Expectation, expectationsOf } from './expectation.ts';
import type { PlacedFault } from './fault.ts';
import { type Setting, withOverrides } from './override.ts';
import { type ObjectPatch, patchScenario } from './patch.ts';
import { proxyConfigurations } from './proxy-config.ts';
import { reportUnreadable } from './read/files.ts';
import type { ReadObjects } from './read/objects.ts';
import type { ReadOptions } from './read/read-inputs.ts';
import type { Source, SourceText } from './read/source.ts';
import type { ScenarioDocument, ScenarioSpec } from './schema.ts';

export interface LoadedScenario {
  readonly name: string;
  readonly spec?: { readonly value: ScenarioSpec; readonly place: KubeObject['place'] };
  readonly objects: readonly KubeObject[];
  readonly expectations: readonly Expectation[];
  readonly faults: readonly PlacedFault[];
  /** What the Scenario asks not to be told of. */
  readonly ignores: readonly LintIgnore[];
}

/** How a Scenario is changed before it is checked. */
interface Changes {
  readonly set?: readonly Setting[] | undefined;
  readonly patch?: readonly ObjectPatch[] | undefined;
}

/**
 * Reads objects out of inputs; everything that is wrong is reported with its place. The reader is
 * loaded then: the built-in scenario needs none.
 */
export const readSources = async (
  sources: readonly (Source | SourceText)[],
  report: Report,
  options: Omit<ReadOptions, 'unreadable'> = {},
): Promise<ReadObjects> => {
  const { readInputs } = await import('./read/read-inputs.ts');
  const { textSource } = await import('./read/source.ts');
  const read = await readInputs(
    sources.map((source) => ('text' in source ? textSource(source) : source)),
    report,
    { ...options, unreadable: reportUnreadable },
  );
  read.objects.push(...(await proxyConfigurations(read.proxyConfigs, report)));
  return read;
};

/** At most one Scenario for all inputs. */
export const onlyScenario = (
  scenarios: readonly KubeObject[],
  report: Report,
): KubeObject | undefined => {
  const [first, ...others] = scenarios;
  for (const other of others) {
    const place = first?.place([]);
    report({
      severity: 'error',
      code: 'second-scenario',
      message: 'there is more than one Scenario in the input',
      ...atPlace(other.place([])),
      hint: `The first is at ${place && placeText(place)}; give the files one at a time, or keep one Scenario.`,
    });
  }
  return first;
};

const ignoresOf = ({ kind, metadata }: ScenarioDocument, object: KubeObject): LintIgnore[] => {
  const text = metadata.annotations?.[LINT_IGNORE];
  if (text === undefined) return [];
  const place = object.place(['metadata', 'annotations', LINT_IGNORE]);
  return [{ object: { kind, name: metadata.name }, text, place, start: object.place([]) }];
};

/** A checked Scenario taken apart; places are those below its `spec`. */
export const takeApart = (
  name: string,
  objects: readonly KubeObject[],
  checked: { readonly document: ScenarioDocument; readonly object: KubeObject } | undefined,
): LoadedScenario => {
  if (!checked) return { name, objects, expectations: [], faults: [], ignores: [] };
  const { document, object } = checked;
  return {
    name: document.metadata.name,
    spec: {
      value: document.spec ?? {},
      place: (path, of) => object.place(['spec', ...path], of),
    },
    objects,
    expectations: expectationsOf(document, object),
    faults: (document.spec?.faults ?? []).map((fault, at) => ({
      fault,
      place: object.place(['spec', 'faults', at]),
    })),
    ignores: ignoresOf(document, object),
  };
};

/** What one field allows only together with another: zod sees fields one by one. */
const checkTogether = ({ spec }: ScenarioDocument, object: KubeObject, report: Report): void => {
  const error = (path: (string | number)[], message: string, hint?: string): void =>
    report({
      severity: 'error',
      code: 'bad-value',
      message: `${formatPath(path)} ${message}`,
      path: formatPath(path),
      ...atPlace(object.place(path)),
      ...(hint !== undefined && { hint }),
    });
  const { plugin, backend } = spec?.network ?? {};
  const owner = backend === 'vxlan' || backend === 'host-gw' ? 'flannel' : 'bridge';
  if (plugin !== undefined && backend !== undefined && owner !== plugin)
    error(
      ['spec', 'network', 'backend'],
      `is ${JSON.stringify(backend)}, which plugin ${plugin} does not have`,
      plugin === 'flannel'
        ? 'flannel has vxlan and host-gw.'
        : 'bridge has static-routes and cloud-routes.',
    );
  const names = new Map<string, number>();
  for (const [at, { name }] of (spec?.nodes ?? []).entries()) {
    const first = names.get(name);
    if (first !== undefined)
      error(
        ['spec', 'nodes', at, 'name'],
        `is ${JSON.stringify(name)}, as is that of spec.nodes[${first}]`,
      );
    names.set(name, first ?? at);
  }
  checkKubeProxy(spec?.kubeProxy, object, report);
};

/** Which field of `detectLocal` a mode needs. */
const DETECTS = {
  BridgeInterface: 'bridgeInterface',
  InterfaceNamePrefix: 'interfaceNamePrefix',
} as const;

/** Fields of kube-proxy that need others, and those that change nothing. */
const checkKubeProxy = (
  kubeProxy: ScenarioSpec['kubeProxy'],
  object: KubeObject,
  report: Report,
): void => {
  const { detectLocalMode: mode, detectLocal } = kubeProxy ?? {};
  const wanted = mode && mode in DETECTS ? DETECTS[mode as keyof typeof DETECTS] : undefined;
  const modePath = ['spec', 'kubeProxy', 'detectLocalMode'];
  if (wanted !== undefined && !detectLocal?.[wanted])
    report({
      severity: 'error',
      code: 'missing-field',
      message: `spec.kubeProxy.detectLocal.${wanted} is missing; detectLocalMode ${mode} needs it`,
      path: formatPath(modePath),
      ...atPlace(object.place(modePath)),
    });
  for (const [section, keys] of Object.entries(WITHOUT_EFFECT)) {
    const above = ['spec', 'kubeProxy', ...(section === 'top' ? [] : [section])];
    const value = valueAt(object.value, above);
    for (const key of keys)
      if (valueBelow(value, key) !== undefined)
        report({
          severity: 'warning',
          code: 'not-modelled',
          message: `${formatPath([...above, key])} has no effect on a trace`,
          path: formatPath([...above, key]),
          ...atPlace(object.place([...above, key], 'key')),
        });
  }
};

/**
 * Checks a Scenario after its overrides and patches. Undefined without one, or with errors, which are reported.
 */
export const checkDocument = async (
  object: KubeObject | undefined,
  name: string,
  { set = [], patch = [] }: Changes,
  report: Report,
): Promise<{ readonly document: ScenarioDocument; readonly object: KubeObject } | undefined> => {
  const complete = patchScenario(withOverrides(object, name, set, report), patch);
  if (!complete) return undefined;
  const { checkScenario } = await import('./schema.ts');
  const document = checkScenario(complete, report);
  if (!document) return undefined;
  checkTogether(document, complete, report);
  return { document, object: complete };
};
