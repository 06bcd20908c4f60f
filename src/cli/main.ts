import process from 'node:process';
import { Command, CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const program = new Command('k8snet')
  .description('Shows how a packet travels between two containers of a Kubernetes cluster')
  .version(manifest.version)
  .exitOverride();

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
