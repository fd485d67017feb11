/** Where tests end the process in the middle of a write. */
export const POINTS = ['begun', 'written', 'committed', 'marked', 'created'] as const;

export type Point = (typeof POINTS)[number];

/** Ends the process, as by `kill -9`, when it comes to a point for the `visit`th time. */
export interface KillPoint {
  readonly point: Point;
  readonly visit: number;
}

/** Called at each point. */
export type Reach = (point: Point) => void;

export function killerAt(killAt: KillPoint | undefined): Reach {
  if (killAt === undefined) return () => {};
  let left = killAt.visit;
  return (point) => {
    if (point === killAt.point && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
