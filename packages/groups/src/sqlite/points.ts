import type { KillPoint as AnyKillPoint } from '../sqlite-kit/index.ts';

/** Where tests end the process in the middle of a write. */
export const POINTS = ['begun', 'written', 'committed', 'marked', 'created'] as const;

export type Point = (typeof POINTS)[number];

export type KillPoint = AnyKillPoint<Point>;

/** Called at each point. */
export type Reach = (point: Point) => void;
