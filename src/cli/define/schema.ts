/** `k8snet schema`: its arguments, options and help. */
import { SCHEMAS, type SchemaName } from '../schemas.ts';
import { type Define, examples } from './command.ts';
import { Argument } from './commander.ts';

const EXAMPLES = ['k8snet schema scenario > scenario.schema.json', 'k8snet schema trace'];

export const defineSchema: Define = (program, io, end) => {
  program
    .command('schema')
    .summary('print the JSON Schema of a file or an output')
    .description(
      'Prints the JSON Schema of what k8snet reads or writes: of scenario and Expectations files; of what trace, trace --repeat (trace-list), test (test-report), matrix, diff and lint print with -o json.',
    )
    .addArgument(
      new Argument('[what]', 'which one').choices(Object.keys(SCHEMAS)).default('scenario'),
    )
    .addHelpText('after', examples(EXAMPLES))
    .action(async (what: SchemaName) => {
      const { schemaCommand } = await import('../schema-command.ts');
      end(await schemaCommand(what, io));
    });
};
