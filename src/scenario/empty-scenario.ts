/** The Scenario of an input that has none, for what changes one. */
import type { KubeObject } from '../cluster/kube-object.ts';
import { SCENARIO_API_VERSION } from './read/objects.ts';

/** `My File`, `<stdin>` → a name that a Scenario may have. */
const validName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') || 'cluster';

/** @param name what the first input is called */
export const emptyScenario = (name: string): KubeObject => ({
  value: {
    apiVersion: SCENARIO_API_VERSION,
    kind: 'Scenario',
    metadata: { name: validName(name) },
  },
  place: () => ({ file: name, line: 1, column: 1 }),
});
