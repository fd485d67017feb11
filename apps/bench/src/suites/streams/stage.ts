import { type Child, startChild } from '../../child.ts';
import { pipelined } from '../../in-flight.ts';
import type { PayloadName } from './payload.ts';
import type { Role, SystemName } from './system.ts';

/** A system under test. */
export interface Contender {
  readonly name: string;
  readonly system: SystemName;
  /** Its server, where it has one. */
  readonly address?: string;
}

/** Processes of one system, which find each other. */
export interface Stage extends AsyncDisposable {
  start(role: Role): Promise<Child>;
  startAll(role: Role, count: number): Promise<Child[]>;
}

/** All at once would ask two cores for as many starts as there are processes. */
const STARTS_AT_ONCE = 2;

/** Processes that are started here know the server's address, or where there is none those of all before them. */
export function openStage({ system, address }: Contender, payload: PayloadName): Stage {
  const stack = new AsyncDisposableStack();
  const found: string[] = [];
  const start = async (role: Role): Promise<Child> => {
    const known = address === undefined ? found : [address];
    const child = await startChild(new URL('./worker.ts', import.meta.url), [
      system,
      role,
      payload,
      ...known,
    ]);
    if (child.ready !== '') found.push(child.ready);
    return stack.use(child);
  };
  return {
    start,
    async startAll(role, count) {
      const children: Child[] = [];
      // The first one is who the others find.
      if (found.length === 0) children.push(await start(role));
      const left = count - children.length;
      await pipelined(left, STARTS_AT_ONCE, async () => children.push(await start(role)));
      return children;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
