/**
 * The layers of src/, from the bottom up. A layer imports only what its row names; the reason that
 * is printed with a violation says what the layer would lose.
 *
 * values: layers it may import; types: layers that it may name in `import type`;
 * packages, builtins: what it may import from outside, each in one file unless `shared` lists it.
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {string[]} values
 * @property {string[]} [types]
 * @property {string[]} [packages]
 * @property {string[]} [builtins]
 * @property {string[]} [shared]
 * @property {string} reason
 */

const bottom = ['wire', 'kernel', 'trace', 'userland', 'cluster', 'policy', 'compile'];

/** @type {Layer[]} */
const layers = [
  {
    name: 'wire',
    values: [],
    packages: ['ipaddr.js'],
    reason: 'a packet is bytes: it means the same to every layer because it knows none of them',
  },
  {
    name: 'kernel',
    values: ['wire'],
    reason:
      'Linux knows nothing of Kubernetes, of files or of the clock; only so can a real kernel judge it',
  },
  {
    name: 'trace',
    values: ['wire', 'kernel'],
    reason:
      'a trace records what the kernel did; it neither explains nor prints, so it can be data',
  },
  {
    name: 'userland',
    values: ['wire', 'kernel', 'trace'],
    reason: 'the tools of a node see the kernel as it is, never the Kubernetes objects behind it',
  },
  {
    name: 'cluster',
    values: ['wire'],
    reason: 'resolving objects must not depend on how a node is programmed afterwards',
  },
  {
    name: 'policy',
    values: ['wire', 'cluster'],
    reason:
      'what a policy allows is decided by objects alone; turning it into rules is for compile',
  },
  {
    name: 'compile',
    values: ['wire', 'kernel', 'cluster', 'policy'],
    // module: loads crypto when it is first needed.
    builtins: ['crypto', 'module'],
    reason:
      'it writes state for the kernel; if it looked at traces, it could fit state to an outcome',
  },
  {
    name: 'scenario',
    values: bottom,
    packages: ['js-yaml', 'zod'],
    // child_process: git, where an input is a file or directory at a revision.
    builtins: ['fs', 'path', 'os', 'worker_threads', 'child_process'],
    reason:
      'input ends in a World; who reports on it comes later, and one file each touches the disk and runs git',
  },
  {
    name: 'explain',
    values: [],
    types: [...bottom, 'scenario'],
    reason: 'sentences are made from codes; computing here would hide facts from the JSON',
  },
  {
    name: 'check',
    values: [...bottom, 'scenario'],
    reason: 'a pipeline judges facts; a sentence that is reworded must never change a verdict',
  },
  {
    name: 'render',
    values: ['wire', 'explain'],
    types: [...bottom, 'scenario', 'check'],
    packages: ['chalk', 'cli-table3', 'get-east-asian-width', 'js-yaml'],
    reason:
      'layout shows what it is given; a renderer that runs code below would be a second engine',
  },
  {
    name: 'lab',
    values: ['wire', 'kernel', 'trace', 'userland'],
    builtins: ['child_process', 'fs'],
    shared: ['child_process', 'fs'],
    reason:
      'it proves the kernel model from its state alone, also for a World that is not Kubernetes',
  },
  {
    name: 'tour',
    values: [...bottom, 'scenario', 'explain', 'check', 'render'],
    reason:
      'it asks through a port that cli fills, so that it runs unattended and without a terminal',
  },
  {
    name: 'cli',
    values: [...bottom, 'scenario', 'explain', 'check', 'render', 'lab', 'tour'],
    packages: ['commander', 'inquirer'],
    builtins: ['process'],
    reason:
      'arguments, streams and exit codes have one owner; everything else works without a process',
  },
  {
    name: 'start',
    values: [],
    builtins: ['fs', 'path', 'process', 'vm'],
    shared: ['fs'],
    reason: 'it runs before anything else is loaded, so that it can load that faster',
  },
];

const names = layers.map(({ name }) => name);

/** @param {string[]} alternatives */
const oneOf = (alternatives) =>
  `(?:${alternatives.map((text) => text.replaceAll('.', '\\.')).join('|')})`;

/** @param {string} name */
const packagePath = (name) => `(?:^|/)node_modules/${name.replaceAll('.', '\\.')}/`;

const rules = layers.flatMap(({ name, values, types, packages, builtins, shared, reason }) => {
  const outside = [
    ...(packages ?? []).map(packagePath),
    ...(builtins ?? []).map((builtin) => `^${builtin}$`),
    ...(name === 'cli' ? ['^package\\.json$'] : []),
  ];
  const allowed = (/** @type {string[]} */ folders) => [
    `^src/${oneOf([name, ...folders])}/`,
    ...outside,
  ];
  const may = [
    [...values, ...(packages ?? []), ...(builtins ?? [])].join(', '),
    types ? `only types of ${types.join(', ')}` : '',
  ].filter(Boolean);
  const comment = `src/${name} may import ${may.join('; ') || 'nothing'}: ${reason}.`;
  return [
    {
      name,
      comment,
      severity: 'error',
      from: { path: `^src/${name}/` },
      to: {
        pathNot: allowed(values),
        ...(types && { dependencyTypesNot: ['type-only', 'type-import'] }),
      },
    },
    ...(types
      ? [
          {
            name: `${name}-types`,
            comment,
            severity: 'error',
            from: { path: `^src/${name}/` },
            to: { pathNot: allowed([...values, ...types]) },
          },
        ]
      : []),
    ...[...(packages ?? []), ...(builtins ?? [])]
      .filter((module) => !shared?.includes(module))
      .map((module) => ({
        name: `${name}-one-file-${module}`,
        comment: `One file of src/${name} imports ${module} and gives the rest what they need: what it is used for stays visible, and it can be replaced or loaded late in one place.`,
        severity: 'error',
        from: { path: `^src/${name}/` },
        module: {
          path: builtins?.includes(module) ? `^${module}$` : packagePath(module),
          numberOfDependentsMoreThan: 1,
        },
      })),
  ];
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'public-api',
      comment:
        'src/index.ts re-exports layers for programs; a terminal and a laboratory are not an API.',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { pathNot: [`^src/${oneOf(names.filter((name) => name !== 'cli' && name !== 'lab'))}/`] },
    },
    {
      name: 'known-folder',
      comment:
        'src/ holds the layers and index.ts, which nobody imports. A helper lives in the lowest layer that needs it; a folder beside the layers becomes an attic that everybody depends on.',
      severity: 'error',
      from: {},
      to: { path: `^src/(?!${oneOf(names)}/)` },
    },
    {
      name: 'no-cycle',
      comment: 'Modules that need each other, be it for a type, can only be understood together.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphan',
      comment: 'A module that imports nothing and that nothing imports is not part of the program.',
      severity: 'error',
      from: { orphan: true, pathNot: '^src/index\\.ts$' },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
