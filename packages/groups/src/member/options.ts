import type { PeerInfo } from '@mosaik/discovery';
import type { GroupId, Metrics, PeerId, Scope } from '@mosaik/primitives';
import type { BondedGroup, GroupBonds } from '../bonds/bond.ts';
import type { StateMachine } from '../machine/machine.ts';
import type { ConsensusSettings, GroupsTestOptions } from '../options.ts';
import type { Storage } from '../storage/storage.ts';
import type { Ticking } from '../ticker.ts';

/** What a member is made of. */
export interface MemberOptions {
  readonly id: GroupId;
  readonly proofKey: Uint8Array;
  readonly self: PeerId;
  readonly scope: Scope;
  readonly metrics: Metrics;
  readonly settings: ConsensusSettings;
  readonly machine: StateMachine<unknown, unknown, unknown, unknown>;
  readonly storage: Storage;
  readonly acceptIf: ((peer: PeerInfo) => boolean) | undefined;
  readonly rules: GroupsTestOptions['rules'];
  readonly watchCore: GroupsTestOptions['watchCore'];
  /** Begins to bond with the other members. */
  readonly bond: (group: BondedGroup) => GroupBonds;
  /** A bond tells of silence after this long, in ms. */
  readonly silentAfterMs: number;
  /** Stops and starts the ticks. */
  readonly ticking: () => Pick<Ticking, 'pause' | 'resume'> | undefined;
  /** Whether the catalog names members that there is no bond with. */
  readonly isExpectingOthers: () => boolean;
}

export type MemberState = 'opening' | 'running' | 'leaving' | 'closed' | 'failed';
