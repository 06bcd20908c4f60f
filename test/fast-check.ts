/** Properties run with the same cases everywhere; `FAST_CHECK_SEED=7` looks at others. */
import process from 'node:process';
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });
