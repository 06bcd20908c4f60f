import process from 'node:process';
import { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };

const program = new Command('k8snet')
  .description('Shows how a packet travels between two containers of a Kubernetes cluster')
  .version(manifest.version);

await program.parseAsync(process.argv);
