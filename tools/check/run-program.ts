// Runs one program of a check and keeps all that it printed, so that steps can run side by side and still read well.

import { spawn } from 'node:child_process';

export interface ProgramResult {
  readonly code: number;
  readonly output: string;
}

export interface ProgramOptions {
  readonly cwd: string;
  /** Shows what it prints at once instead of keeping it. */
  readonly isShown?: boolean | undefined;
}

export function runProgram(
  command: string,
  args: readonly string[],
  { cwd, isShown = false }: ProgramOptions,
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const kept = isShown ? 'inherit' : 'pipe';
    const child = spawn(command, args, { cwd, stdio: ['ignore', kept, kept] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', (error) => resolve({ code: 1, output: `${command}: ${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
