import type { Command } from 'commander';
import { type DemoFlags, demo } from '../commands/demo.ts';
import { addOutputOptions } from './options.ts';
import type { Runner } from './runner.ts';

const ABOUT = `
The processes are told a key, a role and one address. They find each other, trade, and lose nothing while the leader of a
group and the node whose address they were told are killed. It takes under a minute, ends with a report of what each
process wrote down, and leaves nothing behind.

Exit code 0 when everything that the report checks holds, 1 when not.`;

/** The command that shows what this is about, without anything else to be there. */
export function addDemoCommand(program: Command, run: Runner): void {
  const command = program
    .command('demo')
    .description(
      'Shows it: ten processes on this machine organise themselves, and go on while some are killed',
    )
    .option(
      '--input <file>',
      'orders of your own: {"side":"buy","symbol":"ACME","price":10150,"quantity":5} a line',
    )
    .option('--watch', 'go on until Ctrl-C, beginning the orders again at their end')
    .addHelpText('after', ABOUT)
    .action((options: DemoFlags, self: Command) => run(self, (context) => demo(context, options)));
  addOutputOptions(command);
}
