import type { Command } from 'commander';
import type { Context } from '../context.ts';
import type { ExitCode } from '../exit-code.ts';

/** Runs the body of a command with its settings, and remembers its exit code. */
export type Runner = (
  command: Command,
  // biome-ignore lint/suspicious/noConfusingVoidType: what a function without a return statement returns.
  body: (context: Context) => Promise<ExitCode | void>,
) => Promise<void>;
