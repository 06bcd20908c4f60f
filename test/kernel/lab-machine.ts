/** What this machine can do for a lab, found out once a test file. */
import process from 'node:process';
import { privileges } from '../../src/lab/agent.ts';
import { missing } from './requirements.ts';

const TOOLS = ['unshare', 'python3', 'ip', 'bridge', 'nft', 'iptables-restore', 'conntrack'];

const found = privileges();

/** Whether somebody who is not root could build a lab here. */
export const worksRootless = found.rootless;

/** What a lab lacks here, in words; empty when it can be built. */
export const lacking: readonly string[] = [
  ...missing(TOOLS).filter((what) => what !== 'root'),
  ...(found.root || found.rootless ? [] : ['network namespaces']),
];

/** Root where there is a choice: that adds the reasons of drops. */
export const privileged = found.root ? 'root' : 'rootless';

/** The name of a suite, and what makes it skip. */
export const suite = (name: string): string =>
  lacking.length === 0 ? name : `${name} (skipped: no ${lacking.join(', no ')})`;

/** Counts belong into the output of a run that passes, too. */
export const tell = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Labs at a time: they wait more than they compute, so that two processors carry four. */
export const WIDTH = 4;
