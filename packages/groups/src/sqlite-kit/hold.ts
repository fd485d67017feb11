/** Where a test holds a worker up, as a disk that stalls would. */
export interface HoldPoint<P extends string = string> {
  readonly point: P;
  /** Two 32-bit numbers: 1 while workers are held, and how many came to the point while they were. */
  readonly gate: SharedArrayBuffer;
}

/** What is called at each point: blocks the thread at one of them, as long as its gate is closed. */
export function holderAt<P extends string>(holdAt: HoldPoint<P> | undefined): (point: P) => void {
  if (holdAt === undefined) return () => {};
  const gate = new Int32Array(holdAt.gate);
  return (point) => {
    if (point !== holdAt.point || Atomics.load(gate, 0) === 0) return;
    Atomics.add(gate, 1, 1);
    Atomics.notify(gate, 1);
    Atomics.wait(gate, 0, 1);
  };
}
