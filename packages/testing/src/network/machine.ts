import type { PeerId } from '@mosaik/primitives';
import type { Process } from '../world/process.ts';
import type { Endpoint } from './endpoint.ts';
import type { Place } from './path.ts';

/** A host as the network sees it: it has power or not, and programs that listen. */
export interface Machine extends Place {
  readonly name: string;
  readonly index: number;
  readonly isPowered: boolean;
  /** By port; see `address.ts`. */
  readonly listeners: ReadonlyMap<number, Listener>;
}

/** A program that answers dials. */
export interface Listener extends Endpoint {
  readonly process: Process;
  readonly peerId: PeerId;
}
