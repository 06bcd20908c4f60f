/** kube-proxy's ConfigMap holds a document of its own: it becomes an object like any other. */
import { atPlace, type Report } from '../cluster/diagnostic.ts';
import { isObject, type KubeObject, valueAt } from '../cluster/kube-object.ts';

/** kubeadm's key of the ConfigMap kube-system/kube-proxy. */
const KEY = ['data', 'config.conf'] as const;

/**
 * The KubeProxyConfiguration in a ConfigMap; undefined without one, or with one that is no YAML,
 * which is reported. kube-proxy takes a clusterCIDR that is not written for none.
 */
const configurationIn = (
  map: KubeObject,
  parseYaml: typeof import('./read/yaml.ts').parseYaml,
  report: Report,
): KubeObject | undefined => {
  const text = valueAt(map.value, KEY);
  if (typeof text !== 'string') return undefined;
  const parsed = parseYaml(text);
  const value = 'documents' in parsed ? parsed.documents[0]?.value : undefined;
  if (!isObject(value)) {
    report({
      severity: 'warning',
      code: 'bad-yaml',
      message: `ConfigMap kube-proxy: data["config.conf"] is no KubeProxyConfiguration; it is left out`,
      ...atPlace(map.place(KEY)),
      ...('message' in parsed && { hint: parsed.message }),
    });
    return undefined;
  }
  return {
    value: {
      clusterCIDR: '',
      ...value,
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      metadata: { name: 'kube-proxy', namespace: 'kube-system' },
    },
    place: () => map.place(KEY),
  };
};

/** @param maps ConfigMaps of kube-proxy; YAML is loaded only if there are any */
export const proxyConfigurations = async (
  maps: readonly KubeObject[],
  report: Report,
): Promise<KubeObject[]> => {
  if (maps.length === 0) return [];
  const { parseYaml } = await import('./read/yaml.ts');
  return maps.flatMap((map) => configurationIn(map, parseYaml, report) ?? []);
};
