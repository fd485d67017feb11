/** Ends the process, as by `kill -9`, when it comes to a point for the `visit`th time. */
export interface KillPoint<P extends string = string> {
  readonly point: P;
  readonly visit: number;
}

/** What is called at each point: does nothing but for tests. */
export function killerAt<P extends string>(killAt: KillPoint<P> | undefined): (point: P) => void {
  if (killAt === undefined) return () => {};
  let left = killAt.visit;
  return (point) => {
    if (point === killAt.point && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
