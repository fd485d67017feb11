import type { PeerInfo } from '@mosaik/discovery';
import type { StreamId } from '@mosaik/primitives';
import type { Durability, LogExtent, LogIdentity, LogStore, Retention } from '../log/log-storage.ts';

/** How a stream is retained. */
export interface RetainOptions {
  /** Where its logs are kept: `memory()`, or `sqlite(path)` of `@mosaik/store/sqlite`. Closed with the store of this node. */
  readonly storage: LogStore;
  /** For people, in the catalog. Default: the name of the stream. */
  readonly name?: string | undefined;
  /** How much of each log is kept. Default: all. */
  readonly retention?: Retention | undefined;
  /** Whether a peer may read; asked again whenever its catalog entry changes. Default: all may. */
  readonly acceptIf?: ((peer: PeerInfo) => boolean) | undefined;
  /** Keeps copies of the logs of all other producers, too, and serves them, also when these are gone. Default false. */
  readonly mirror?: boolean | undefined;
  /** Keeps what this node produces. Default: true, unless it mirrors. */
  readonly own?: boolean | undefined;
}

/** A log that is kept here. */
export interface RetainedLog {
  readonly identity: LogIdentity;
  /** This node produces it. */
  readonly isOwn: boolean;
  readonly extent: LogExtent;
  /** What a copy does, or waits for; what has failed. */
  readonly state: string;
}

/** What was done for a stream so far. */
export interface RetainedStats {
  readonly datums: number;
  readonly bytes: number;
  /** Gaps in the copies: the data were gone everywhere before they could be copied. */
  readonly gaps: number;
}

/** A stream whose data are kept on this node, and served to whoever replays it. */
export interface Retained extends AsyncDisposable {
  readonly stream: StreamId;
  readonly name: string;
  /** What `send` promises when it resolves, and copies when they are told of. */
  readonly durability: Durability;
  /** The log of what this node produces; undefined when it only mirrors. */
  readonly own: LogIdentity | undefined;
  readonly logs: readonly RetainedLog[];
  readonly stats: RetainedStats;
  /** Applies the retention now. */
  trim(): Promise<void>;
  /** Keeps nothing more, and serves nothing more; what was kept stays in the storage. */
  close(): Promise<void>;
}
