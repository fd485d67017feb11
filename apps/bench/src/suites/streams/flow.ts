import type { Broadcaster, Kept } from './system.ts';

const SAMPLE_MS = 20;

/** Sends without end, and notes what is kept at most meanwhile. */
export function flowOf(
  send: () => Promise<void>,
  queuedBytes: () => number,
): Pick<Broadcaster, 'start' | 'stop'> {
  let isWanted = false;
  let running = Promise.resolve();
  let kept: Kept = { queuedBytes: 0, rssBytes: 0 };
  let timer: NodeJS.Timeout | undefined;
  const sample = (): void => {
    kept = {
      queuedBytes: Math.max(kept.queuedBytes, queuedBytes()),
      rssBytes: Math.max(kept.rssBytes, process.memoryUsage.rss()),
    };
  };
  const run = async (): Promise<void> => {
    while (isWanted) await send();
  };
  return {
    start() {
      kept = { queuedBytes: 0, rssBytes: 0 };
      isWanted = true;
      timer = setInterval(sample, SAMPLE_MS);
      running = run();
      // Whoever stops it is told.
      running.catch(() => {});
    },
    async stop() {
      sample();
      clearInterval(timer);
      isWanted = false;
      await running;
      return kept;
    },
  };
}
