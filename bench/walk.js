/** What one cross-node round trip costs inside a warm process: cold tables, ARP included. */

// The built package: there is nothing to import before the build.
const { ask, openBuiltIn } = await import(new URL('../dist/index.js', import.meta.url).href);

const rounds = Number(process.argv[2] ?? 3000);
const opened = await openBuiltIn('basics/two-nodes');
if (!opened.ok) throw new Error('the built-in scenario does not open');

const once = () => {
  const start = performance.now();
  const answer = ask(opened.scenario, { from: 'pod-a', to: 'pod-b:8080' });
  const time = (performance.now() - start) * 1000;
  if (!answer.ok || answer.facts.disposition !== 'delivered') throw new Error('not delivered');
  return time;
};

for (let round = 0; round < rounds; round++) once();
const times = Array.from({ length: rounds }, once).sort((a, b) => a - b);
const [min = 0, median = 0] = [times[0], times[rounds >> 1]];
process.stdout.write(
  `round trip over VXLAN, question to trace: min ${min.toFixed(0)} µs, median ${median.toFixed(0)} µs\n`,
);
