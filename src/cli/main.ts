import process from 'node:process';
import { Command } from 'commander';

declare const __VERSION__: string;

const program = new Command('k8snet')
  .description('Shows how a packet travels between two containers of a Kubernetes cluster')
  .version(__VERSION__);

await program.parseAsync(process.argv);
