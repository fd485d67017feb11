/** The demo as a program: `npm run demo`. */
import { parseArgs } from 'node:util';
import { DemoInputError, runDemo } from './run-demo.ts';

const HELP = `Usage: npm run demo -- [options]

Ten processes on this machine find each other, trade, and survive kill -9.

  --input FILE   orders of your own: one JSON object on each line, such as
                 {"side":"buy","symbol":"ACME","price":10150,"quantity":5}
  --watch        goes on until Ctrl-C, beginning the orders again at their end
  --json         prints the report alone, as JSON
  --help         this text

Exit code 0 if everything the report checks holds, 1 if not, 2 for a mistake in the options.
`;

/** A mistake of the user: told without a stack trace. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

async function main(args: readonly string[]): Promise<number> {
  const { input, watch: isWatched, json: isJson, help } = valuesIn(args);
  const { stdout, stderr } = process;
  if (help) {
    stdout.write(HELP);
    return 0;
  }
  if (isWatched && isJson)
    throw new UsageError('--watch has no end, and --json tells of the end: choose one');
  const leave = new AbortController();
  process.once('SIGINT', () => leave.abort());
  const holds = await runDemo({ input, isWatched, isJson, stdout, stderr, signal: leave.signal });
  return holds ? 0 : 1;
}

function valuesIn(args: readonly string[]): {
  readonly input?: string;
  readonly watch: boolean;
  readonly json: boolean;
  readonly help: boolean;
} {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const options = { input: { type: 'string' }, watch: flag, json: flag, help: flag } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError || error instanceof DemoInputError)) throw error;
  process.stderr.write(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
