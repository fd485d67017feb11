import type { PeerInfo } from '@mosaik/discovery';
import { type Codec, decodeCbor, encodeCanonical, InvalidArgumentError } from '@mosaik/primitives';
import type { LogStore } from '../log/log-storage.ts';
import type { FoldContext, FoldOptions } from './fold.ts';
import { SNAPSHOT_BYTES_MAX } from './snapshot.ts';

/** The options of a fold, with their defaults. */
export interface FoldSettings<State, Out> {
  readonly name: string;
  readonly version: string;
  readonly initial: () => State;
  readonly apply: (state: State, datum: Out, context: FoldContext) => State;
  readonly snapshotEvery: number;
  readonly storage: LogStore | undefined;
  readonly codec: Codec<State>;
  readonly acceptIf: (peer: PeerInfo) => boolean;
}

/** @throws {InvalidArgumentError} when an option is out of range. */
export function foldSettings<State, Out>(options: FoldOptions<State, Out>): FoldSettings<State, Out> {
  const { name, version, initial, apply, snapshotEvery = 100_000, storage, codec, acceptIf } = options;
  if (name === '') throw new InvalidArgumentError('name', 'not empty');
  if (!(snapshotEvery >= 1))
    throw new InvalidArgumentError('snapshotEvery', `1 or more, not ${snapshotEvery}`);
  return {
    name,
    version: String(version),
    initial,
    apply,
    snapshotEvery,
    storage,
    codec: codec ?? canonicalCodec<State>(),
    acceptIf: acceptIf ?? (() => true),
  };
}

/** Equal states are equal bytes, whatever the order of their keys. */
function canonicalCodec<State>(): Codec<State> {
  return {
    name: 'canonical cbor',
    encode: encodeCanonical,
    decode: (bytes) =>
      decodeCbor(bytes, { int64: 'number', maxBytes: SNAPSHOT_BYTES_MAX, maxItems: 200_000_000 }) as State,
  };
}
