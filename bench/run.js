/** Runs Node in a process of its own and says what that took. */
import { spawnSync } from 'node:child_process';

/**
 * Standard output is given back, or thrown away where it is too much to keep.
 * @param {string[]} args of Node
 * @param {'pipe' | 'ignore'} [output]
 * @returns {{ seconds: number, processor: number, megabytes: number, output: string }}
 */
export function run(args, output = 'pipe') {
  const start = performance.now();
  // The child says itself how much it took: no tool of the system is needed.
  const hook = `process.on('exit',()=>{const{maxRSS,userCPUTime,systemCPUTime}=process.resourceUsage();require('node:fs').writeSync(2,'\\nTOOK '+maxRSS+' '+(userCPUTime+systemCPUTime))})`;
  const loader = `data:text/javascript,import{createRequire}from'node:module';const require=createRequire('file:///');${encodeURIComponent(hook)}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', loader, ...args], {
    encoding: 'utf8',
    maxBuffer: 2e9,
    stdio: ['ignore', output, 'pipe'],
  });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  const [, kibibytes, microseconds] = /TOOK (\d+) (\d+)/.exec(stderr) ?? [];
  return {
    seconds,
    processor: Number(microseconds) / 1e6,
    megabytes: Number(kibibytes) / 1024,
    output: stdout ?? '',
  };
}
