import { NondeterminismError } from '../errors.ts';

/** What to do instead, by what was done. */
export const TIME = 'take the time from context.now';
export const CHANCE = 'draw from context.random()';
export const LATER = 'a command is applied at once and completely; do it after its result has arrived';
export const OUTSIDE = 'do it before, and put what came of it into the command';

/** What a guard does about one use of what differs between members; returns when it is none of the machine's. */
export type Refuse = (use: Use) => void;

/** A use of what is guarded. */
export interface Use {
  /** As one would write it. */
  readonly what: string;
  readonly instead: string;
  /** The function that stands in its place, for the stack of its caller. */
  readonly stand: (...values: never[]) => unknown;
}

/** Of the run under way; there is one at a time, as runs are synchronous. */
let current: Refuse | undefined;

/** Has `work` run with uses refused. */
export function refusing<T>(refuse: Refuse, work: () => T): T {
  const outer = current;
  current = refuse;
  try {
    return work();
  } finally {
    current = outer;
  }
}

/** Tells of a use; does nothing outside of a run. */
export function told(use: Use): void {
  current?.(use);
}

/** The first use of a run, as an error; later ones throw it again. */
export class Refusals {
  #first: NondeterminismError | undefined;

  get first(): NondeterminismError | undefined {
    return this.#first;
  }

  readonly refuse: Refuse = ({ what, instead, stand }) => {
    if (isOfPlatform(stand)) return;
    this.#first ??= new NondeterminismError(what, instead);
    throw this.#first;
  };
}

/** Enough for what a console of a test runner puts between itself and a timer. */
const FRAMES = 50;

/**
 * Whether the platform itself makes a call, or somebody does for the console: what a machine does is found where it calls the
 * platform, and a line that is printed for a while decides nothing.
 */
function isOfPlatform(stand: Use['stand']): boolean {
  const { captureStackTrace, stackTraceLimit } = Error;
  // Other engines are not Node, whose console calls what can be replaced.
  if (typeof captureStackTrace !== 'function') return false;
  const holder: { stack?: string } = {};
  Error.stackTraceLimit = FRAMES;
  captureStackTrace(holder, stand);
  Error.stackTraceLimit = stackTraceLimit;
  const frames = (holder.stack ?? '').split('\n').slice(1);
  return (
    /\bat (.+ \()?node:/.test(frames[0] ?? '') ||
    frames.some((frame) => frame.includes('node:internal/console/'))
  );
}
