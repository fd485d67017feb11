import { type Runtime, sleep } from '@mosaik/primitives';

/**
 * The answers, in the order of the questions, that have come when all are settled or patience is over; or, when none of use
 * has come by then, until one has: on a network that is slower than patience, one must do, but those of members nearby that
 * are as late as this one do not.
 */
export async function gather<T>(
  runtime: Runtime,
  asked: readonly Promise<T | undefined>[],
  { patienceMs, isOfUse }: { readonly patienceMs: number; readonly isOfUse: (answer: T) => boolean },
): Promise<T[]> {
  const came: (T | undefined)[] = asked.map(() => undefined);
  const first = Promise.withResolvers<void>();
  const all = asked.map(async (answer, place) => {
    const value = await answer;
    came[place] = value;
    if (value !== undefined && isOfUse(value)) first.resolve();
  });
  const isOver = new AbortController();
  const patience = sleep(runtime, patienceMs, { signal: isOver.signal }).catch(() => {});
  await Promise.race([Promise.all(all), Promise.all([patience, first.promise])]);
  isOver.abort();
  return came.filter((answer) => answer !== undefined);
}
