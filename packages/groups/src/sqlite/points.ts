import type { HoldPoint as AnyHoldPoint, KillPoint as AnyKillPoint } from '../sqlite-kit/index.ts';
import type { LogWork } from './messages.ts';

/** Where tests end the process in the middle of a write, … */
export const WRITE_POINTS = ['begun', 'written', 'committed', 'marked'] as const;
/** … where a log is made, … */
export const MAKE_POINTS = ['creating', 'marking'] as const;
/** … where one is opened, … */
export const OPEN_POINTS = ['created', 'cleaning', 'cleaned', 'checkpointed'] as const;
/** … and where one is put aside: after each of its files. */
export const ASIDE_POINT = 'renamed';

export type Point =
  | (typeof WRITE_POINTS)[number]
  | (typeof MAKE_POINTS)[number]
  | (typeof OPEN_POINTS)[number]
  | typeof ASIDE_POINT;

/** What a transaction can do to a log, among other things. */
export const DEEDS = ['append', 'truncate', 'chunk', 'commit', 'drop', 'prune'] as const;

export type Deed = (typeof DEEDS)[number];

export interface KillPoint extends AnyKillPoint<Point> {
  /** Only transactions count that do this. Default: all. */
  readonly deed?: Deed | undefined;
}

export type HoldPoint = AnyHoldPoint<(typeof WRITE_POINTS)[number]>;

/** Called at each point. */
export type Reach = (point: Point) => void;

/** What a piece of work does, if it is one of those. */
export function deedOf(work: LogWork): Deed | undefined {
  switch (work.kind) {
    case 'append':
      return work.truncateFrom === undefined ? 'append' : 'truncate';
    case 'chunk':
    case 'commit':
    case 'drop':
    case 'prune':
      return work.kind;
    default:
      return undefined;
  }
}
