import { performance } from 'node:perf_hooks';

/** Does `work` so many times with at most `inFlight` of them under way; seconds from the first to the last answer. */
export async function pipelined(
  count: number,
  inFlight: number,
  work: (index: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
  return (performance.now() - startedAt) / 1000;
}

/** Does `work` so many times, one after the other; the milliseconds that each took. */
export async function oneByOne(count: number, work: (index: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const startedAt = performance.now();
    await work(index);
    times.push(performance.now() - startedAt);
  }
  return times;
}
