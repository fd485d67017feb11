import { type Runtime, sleep } from '@mosaik/primitives';

/**
 * The answers, in the order of the questions, that have come when all are settled or patience is over; or, when none has come
 * by then, the first: on a network that is slower than patience, some answer must do.
 */
export async function gather<T>(
  runtime: Runtime,
  asked: readonly Promise<T | undefined>[],
  patienceMs: number,
): Promise<T[]> {
  const came: (T | undefined)[] = asked.map(() => undefined);
  const first = Promise.withResolvers<void>();
  const all = asked.map(async (answer, place) => {
    came[place] = await answer;
    if (came[place] !== undefined) first.resolve();
  });
  const isOver = new AbortController();
  const patience = sleep(runtime, patienceMs, { signal: isOver.signal }).catch(() => {});
  await Promise.race([Promise.all(all), Promise.all([patience, first.promise])]);
  isOver.abort();
  return came.filter((answer) => answer !== undefined);
}
