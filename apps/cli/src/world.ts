import type { Readable, Writable } from 'node:stream';
import { Network } from 'mosaik';

/** Where text goes; a terminal says so. */
export type Output = Writable & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

/** All that a command reaches of its surroundings, so that tests can run it in theirs. */
export interface World {
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What paths are relative to. */
  readonly folder: string;
  /** Fires when the user wants it to end: Ctrl-C, SIGTERM, or whoever read the output has gone. */
  readonly interrupted: AbortSignal;
  readonly createNetwork: typeof Network.create;
}

/** The surroundings of this process. */
export function processWorld(interrupted: AbortSignal): World {
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, env, folder: process.cwd(), interrupted, createNetwork: Network.create };
}
