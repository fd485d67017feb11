import { type Runtime, randomInt } from '@mosaik/primitives';
import { deterministic, type Model } from '@mosaik/testing/linearizability';
import type { MapCommand, MapResult } from '../../../src/machine/index.ts';
import type { Values } from '../cluster.ts';

/** What clients ask of a key: values are unique, so that a command that was applied twice shows in what was there before. */
export type Input =
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'put'; readonly key: string; readonly value: number }
  | { readonly type: 'cas'; readonly key: string; readonly from: number | undefined; readonly to: number };

/** What there was before: of a `cas` with whether it wrote. */
export type Output = number | undefined | readonly [done: boolean, before: number | undefined];

export const model: Model<number | undefined, Input, Output> = deterministic<
  number | undefined,
  Input,
  Output
>({
  init: () => undefined,
  key: ({ key }) => key,
  apply(state, input) {
    if (input.type === 'get') return { state, output: state };
    if (input.type === 'put') return { state: input.value, output: state };
    const isSame = state === input.from;
    return { state: isSame ? input.to : state, output: [isSame, state] };
  },
});

/** Draws what a client asks next; a value is only used when it is written. */
export function drawInput(runtime: Runtime, keys: number, nextValue: () => number): Input {
  const key = `k${randomInt(runtime, keys)}`;
  const chance = runtime.random();
  if (chance < 0.4) return { type: 'get', key };
  const value = nextValue();
  if (chance < 0.8) return { type: 'put', key, value };
  const from = runtime.random() < 0.2 ? undefined : value - randomInt(runtime, 4);
  return { type: 'cas', key, from, to: value };
}

/** Asks a member. */
export async function ask(group: Values, input: Input, signal: AbortSignal): Promise<Output> {
  if (input.type === 'get') {
    const { result } = await group.query({ get: input.key }, 'strong', { signal });
    return result.entries[0]?.value;
  }
  const { result } = await group.execute(commandOf(input), { signal });
  return outputOf(input, result);
}

function commandOf(input: Exclude<Input, { readonly type: 'get' }>): MapCommand<number> {
  if (input.type === 'put') return { put: input.key, value: input.value };
  return { compareAndSet: input.key, expected: input.from, value: input.to };
}

/** What a command gave, as the model has it. */
export function outputOf({ type }: Input, { done, before }: MapResult<number>): Output {
  return type === 'put' ? before : [done, before];
}
