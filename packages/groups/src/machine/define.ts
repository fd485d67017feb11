import {
  type Codec,
  cborCodec,
  type DecodeOptions,
  decodeCbor,
  encodeCbor,
  InvalidArgumentError,
} from '@mosaik/primitives';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type {
  ApplyContext,
  EncodedResult,
  LeadershipPreference,
  MachineCodecs,
  MachineInstance,
  QueryContext,
  StateMachine,
} from './machine.ts';

/** A snapshot was verified by its hashes: how large a state may be is not for the decoder to say. */
const NO_LIMITS: DecodeOptions = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  maxItems: Number.MAX_SAFE_INTEGER,
  maxDepth: 512,
};
/** Of the default snapshot. */
const CHUNK_BYTES = 1024 * 1024;

/** A machine in one object; what is inferred from it are the types of commands, results, queries and answers. */
export interface MachineDefinition<State extends object, Command, Result, Query, Answer> {
  /** As in {@link StateMachine}. */
  readonly signature: string;
  /** An empty state. */
  readonly initial: () => State;
  /** Checks commands, on the way to the log and on the way out; any Standard Schema that validates synchronously. */
  readonly command?: StandardSchemaV1<unknown, Command> | undefined;
  /** Changes the state in place; see `MachineInstance.apply` for what it must not do. */
  apply(state: State, command: Command, context: ApplyContext): Result;
  /** As `MachineInstance.applyEncoded`. */
  applyEncoded?(state: State, command: Uint8Array, context: ApplyContext): EncodedResult<Result>;
  query?(state: State, query: Query, context: QueryContext): Answer;
  /** Default: all of the state as CBOR, copied at once, which takes about 10 ms for each MiB. */
  snapshot?(state: State): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Needed with `snapshot`. */
  restore?(chunks: AsyncIterable<Uint8Array>): Promise<State>;
  hash?(state: State): Uint8Array;
  readonly codecs?: Partial<MachineCodecs<Command, Result, Query, Answer>> | undefined;
  readonly leadership?: LeadershipPreference | undefined;
}

/**
 * Makes a state machine of one definition.
 *
 * @example
 * const Stock = machine({
 *   signature: 'shop.stock/1',
 *   initial: () => ({ items: new Map<string, number>() }),
 *   apply({ items }, command: { readonly item: string; readonly add: number }) {
 *     const count = (items.get(command.item) ?? 0) + command.add;
 *     if (count < 0) throw new CommandRejectedError('out-of-stock');
 *     items.set(command.item, count);
 *     return count;
 *   },
 *   query: ({ items }, item: string) => items.get(item) ?? 0,
 * });
 *
 * @throws {InvalidArgumentError} for an empty signature, and for `snapshot` without `restore` or the other way round.
 */
export function machine<State extends object, Command, Result, Query = never, Answer = never>(
  definition: MachineDefinition<State, Command, Result, Query, Answer>,
): StateMachine<Command, Result, Query, Answer> {
  const { signature, leadership, codecs, command } = definition;
  if (signature === '')
    throw new InvalidArgumentError('signature', 'a name and a version, such as "shop.stock/2"');
  if ((definition.snapshot === undefined) !== (definition.restore === undefined)) {
    throw new InvalidArgumentError('snapshot', 'given together with restore, or neither');
  }
  return {
    signature,
    leadership,
    codecs: {
      command: codecs?.command ?? checkedCodec(command),
      result: codecs?.result ?? cborCodec(),
      query: codecs?.query ?? cborCodec(),
      answer: codecs?.answer ?? cborCodec(),
    },
    create: () => new DefinedInstance(definition),
  };
}

function checkedCodec<T>(schema: StandardSchemaV1<unknown, T> | undefined): Codec<T> {
  return cborCodec({ schema });
}

class DefinedInstance<State extends object, Command, Result, Query, Answer>
  implements MachineInstance<Command, Result, Query, Answer>
{
  readonly #definition: MachineDefinition<State, Command, Result, Query, Answer>;
  readonly hash?: () => Uint8Array;
  readonly applyEncoded?: (command: Uint8Array, context: ApplyContext) => EncodedResult<Result>;
  #state: State;

  constructor(definition: MachineDefinition<State, Command, Result, Query, Answer>) {
    this.#definition = definition;
    this.#state = definition.initial();
    const { hash, applyEncoded } = definition;
    if (hash !== undefined) this.hash = () => hash(this.#state);
    if (applyEncoded !== undefined)
      this.applyEncoded = (command, context) => applyEncoded(this.#state, command, context);
  }

  apply(command: Command, context: ApplyContext): Result {
    return this.#definition.apply(this.#state, command, context);
  }

  query(query: Query, context: QueryContext): Answer {
    const { query: ask, signature } = this.#definition;
    if (ask === undefined) throw new InvalidArgumentError('query', `the machine ${signature} answers none`);
    return ask(this.#state, query, context);
  }

  snapshot(): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
    const { snapshot } = this.#definition;
    return snapshot === undefined ? cut(encodeCbor(this.#state)) : snapshot(this.#state);
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { restore } = this.#definition;
    this.#state =
      restore === undefined ? (decodeCbor(await joined(chunks), NO_LIMITS) as State) : await restore(chunks);
  }
}

function* cut(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) yield bytes.subarray(from, from + CHUNK_BYTES);
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts = await Array.fromAsync(chunks);
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
