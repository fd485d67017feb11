import type { FoldOptions } from '@mosaik/store';
import type { Datum } from '../streams/payload.ts';

/** How many of a hundred lots were traded: what the fold keeps of the stream. */
export type Volumes = Record<string, number>;

const LOTS = 100;

/**
 * A view of the stream. Who asks for another version shares no snapshots with the keeper, and has to apply all data by itself.
 */
export function volumes(version: number): FoldOptions<Volumes, Datum> {
  return {
    name: 'volumes',
    version,
    initial: () => ({}),
    apply: (state, { sequence }) => {
      const lot = `lot ${sequence % LOTS}`;
      state[lot] = (state[lot] ?? 0) + 1;
      return state;
    },
  };
}
