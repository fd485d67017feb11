import { flushCompileCache } from 'node:module';
import type { Request, Response } from './child.ts';

/** What a program offers to the test that started it. */
export type Offers = Readonly<Record<string, (argument: never) => unknown>>;

/** What the test started the program with. */
export function programArgument<T>(): T {
  return JSON.parse(process.argv[2] ?? 'null') as T;
}

/** To be called by a program once it is ready: answers the test, and ends when the test is gone. */
export function serveCalls(offers: Offers): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (request: Request) => void answer(offers, request));
  // Most programs are killed in the end, and what was compiled for them is to serve the next one.
  flushCompileCache();
  reply({ id: 0 });
}

async function answer(offers: Offers, { id, name, argument }: Request): Promise<void> {
  try {
    const offer = offers[name];
    if (offer === undefined) throw new Error('the program does not offer that');
    reply({ id, value: await offer(argument as never) });
  } catch (error) {
    reply({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

function reply(response: Response): void {
  process.send?.(response);
}
