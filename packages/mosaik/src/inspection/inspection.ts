import type { GroupId, PeerId, StreamId } from '@mosaik/primitives';

/** One channel between a producer and a consumer, as one side sees it. */
export interface ChannelInspection {
  readonly peer: PeerId;
  readonly state: 'connecting' | 'live' | 'waiting';
  readonly datums: number;
  readonly bytes: number;
  readonly uptimeMs: number;
  readonly lagDatums: number;
  readonly lagBytes: number;
  readonly lastError?: string | undefined;
}

/** What a node produces, and for whom. */
export interface ProducerInspection {
  readonly stream: StreamId;
  readonly name: string;
  readonly datums: number;
  readonly bytes: number;
  readonly droppedTooSlow: number;
  readonly refused: number;
  readonly isOnline: boolean;
  readonly why: string;
  readonly consumers: readonly ChannelInspection[];
}

/** What a node consumes, and from whom. */
export interface ConsumerInspection {
  readonly stream: StreamId;
  readonly name: string;
  readonly datums: number;
  readonly bytes: number;
  readonly gaps: number;
  readonly isOnline: boolean;
  readonly why: string;
  readonly producers: readonly ChannelInspection[];
}

/** What a node knows of a group that it is in. */
export interface GroupInspection {
  readonly group: GroupId;
  readonly durability: string;
  readonly role: string;
  readonly leader?: PeerId | undefined;
  readonly term: number;
  readonly lastIndex: number;
  readonly committed: number;
  readonly applied: number;
  readonly bonds: number;
  readonly voters: number;
  readonly learners: number;
  /** `ok`, or what keeps the group from working. */
  readonly reason: string;
  readonly why: string;
}

/** What a node tells of itself to whoever asks, beyond what its entry in the catalog says. */
export interface Inspection {
  readonly uptimeMs: number;
  readonly producers: readonly ProducerInspection[];
  readonly consumers: readonly ConsumerInspection[];
  readonly groups: readonly GroupInspection[];
}
