/** Small plain data as YAML, a line each: a patch as a person would write it. */

/** Texts that no reader of YAML takes for anything else. */
const PLAIN = /^(?!(?:true|false|yes|no|on|off|null|y|n)$)[A-Za-z_][\w./-]*$/i;

const scalar = (value: unknown): string =>
  typeof value === 'string' && PLAIN.test(value) ? value : JSON.stringify(value);

const isEmpty = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || Object.keys(value).length === 0;

/** Lines of a map or a list, without what is absent. */
export function yamlLines(value: unknown): string[] {
  if (isEmpty(value)) return [scalar(value)];
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) =>
      yamlLines(item).map((line, at) => `${at === 0 ? '- ' : '  '}${line}`),
    );
  }
  return Object.entries(value as object).flatMap(([key, item]: [string, unknown]) => {
    if (item === undefined) return [];
    if (isEmpty(item)) return [`${scalar(key)}: ${scalar(item)}`];
    return [`${scalar(key)}:`, ...yamlLines(item).map((line) => `  ${line}`)];
  });
}
