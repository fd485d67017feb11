import { startChild } from '../../child.ts';
import { createFolder } from '../../peers/folder.ts';
import { FILL_IN_FLIGHT, type StoreContender } from './contender.ts';

/** A view of so many data, kept in memory by one process and joined by others. */
export interface FoldContender extends AsyncDisposable {
  /** Data a second that the keeper takes, with at most `inFlight` of them not taken. */
  append(count: number, inFlight: number): Promise<number>;
  /** The milliseconds that a process takes to have the view. */
  join(count: number, options: { readonly hasSnapshot: boolean }): Promise<number>;
}

/** A process that retains a stream in memory, and a view of it. */
export async function startMosaikFold(): Promise<FoldContender> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await createFolder());
  const keeper = stack.use(await startChild(new URL('./keeper.ts', import.meta.url), [folder.path]));
  const owned = stack.move();
  return {
    append: async (count, inFlight) =>
      count / ((await keeper.request('appendInMemory', count, inFlight)) as number),
    async join(count, { hasSnapshot }) {
      await keeper.request('fold');
      const module = new URL('./mosaik-reader.ts', import.meta.url);
      await using reader = await startChild(module, [keeper.ready]);
      return (await reader.request('join', count, hasSnapshot ? 1 : 2)) as number;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A process that retains its streams in SQLite, one fsync for all data that wait. */
export async function startMosaikStore(): Promise<StoreContender> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await createFolder());
  const keeper = stack.use(await startChild(new URL('./keeper.ts', import.meta.url), [folder.path]));
  let kept = 0;
  const owned = stack.move();
  return {
    name: 'mosaik (SQLite, synced: each batch)',
    append: async (count, inFlight) => count / ((await keeper.request('append', count, inFlight)) as number),
    async fill(count) {
      await keeper.request('fill', Math.max(0, count - kept), FILL_IN_FLIGHT);
      kept = Math.max(kept, count);
    },
    async replay(count) {
      const module = new URL('./mosaik-reader.ts', import.meta.url);
      await using reader = await startChild(module, [keeper.ready]);
      return (await reader.request('replay', count)) as number;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
