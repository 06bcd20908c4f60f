/** What the command line takes from commander: the one file that knows it. */
export { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
