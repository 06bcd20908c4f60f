/**
 * Holds src/ to the rules of .dependency-cruiser.cjs. The cruiser reports success when it fails to
 * read any module, so the modules that it saw are counted against the files that are there.
 */
import { readdirSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import configuration from '../.dependency-cruiser.cjs';

/**
 * @param {string} root a folder that holds src/
 * @param {import('dependency-cruiser').IConfiguration} rules
 * @returns {Promise<{ problems: string[], modules: number }>}
 */
export async function checkLayers(root, { options, ...ruleSet } = configuration) {
  const { output } = await cruise(['src'], { ...options, ruleSet, validate: true, baseDir: root });
  if (typeof output === 'string') throw new Error(output);

  const problems = output.summary.violations.map(({ rule, from, to, cycle }) => {
    const { comment, from: rulePath, module } = ruleOf(ruleSet, rule.name);
    const path = cycle
      ? [from, ...cycle.map(({ name }) => name)]
      : from === to
        ? [from]
        : [from, to];
    const dependents = module
      ? (output.modules.find(({ source }) => source === from)?.dependents ?? [])
          .filter((dependent) => new RegExp(String(rulePath?.path)).test(dependent))
          .map((dependent) => `\n    imported by ${dependent}`)
      : [];
    return `${rule.name}: ${path.join(' → ')}${dependents.join('')}\n    ${comment}`;
  });

  const cruised = output.modules.filter(({ source }) => source.startsWith('src/')).length;
  const files = readdirSync(`${root}/src`, { recursive: true }).filter((file) =>
    /\.[cm]?[jt]sx?$/.test(String(file)),
  ).length;
  if (cruised < files)
    problems.push(`coverage: ${cruised} of the ${files} modules in src were read`);
  return { problems, modules: cruised };
}

/**
 * @param {import('dependency-cruiser').IFlattenedRuleSet} ruleSet
 * @param {string} name
 * @returns {{ comment?: string, from?: { path?: unknown }, module?: unknown }}
 */
function ruleOf(ruleSet, name) {
  return ruleSet.forbidden?.find((rule) => rule.name === name) ?? {};
}

if (process.argv[1] === import.meta.filename) {
  const { problems, modules } = await checkLayers(import.meta.dirname.replace(/[\\/]scripts$/, ''));
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.stderr.write(`layers: ${modules} modules, ${problems.length} problems\n`);
  if (problems.length > 0) process.exitCode = 1;
}
