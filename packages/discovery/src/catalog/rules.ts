import type { NetworkId } from '@mosaik/primitives';
import { compareVersions, type EntryVersion, type PeerEntry } from '../entry/peer-entry.ts';

/** Why an entry is not taken. */
export type RefusalReason =
  /** It is not an entry. */
  | 'malformed'
  /** The signature is not the peer's. */
  | 'forged'
  /** It is of another network. */
  | 'foreign'
  /** It is dated further ahead than clocks may differ. */
  | 'future'
  /** It is so old that it would be purged at once. */
  | 'stale'
  /** What is held is newer. */
  | 'older'
  /** It is what is held. */
  | 'equal'
  /** The peer is known to have gone at this version, or a later one. */
  | 'buried'
  /** The neighbour that sent it has had its share of verifications. */
  | 'throttled';

/** What becomes of an entry, should its signature be right. */
export type Verdict =
  | 'insert'
  | 'update'
  | 'depart'
  | 'self'
  | Exclude<RefusalReason, 'malformed' | 'forged' | 'throttled'>;

/** What a judgement depends on besides the entry. */
export interface RuleContext {
  readonly network: NetworkId;
  readonly self: string;
  readonly wallNowMs: number;
  readonly maxTimeDriftMs: number;
  readonly purgeAfterMs: number;
  /** The version held of the peer, if any. */
  readonly held: EntryVersion | undefined;
  /** The version at which the peer is known to have gone, if it is. */
  readonly buried: EntryVersion | undefined;
}

/** Decides about an entry by all that is cheap; a signature is worth checking only for what would be taken. */
export function judge(entry: PeerEntry, context: RuleContext): Verdict {
  if (entry.network !== context.network) return 'foreign';
  if (entry.peer === context.self) return 'self';
  if (entry.version.update > context.wallNowMs + context.maxTimeDriftMs) return 'future';
  if (entry.version.update < context.wallNowMs - context.purgeAfterMs) return 'stale';
  if (context.held !== undefined) return against(context.held, entry);
  if (context.buried !== undefined && compareVersions(entry.version, context.buried) <= 0) return 'buried';
  return entry.isDeparted ? 'depart' : 'insert';
}

function against(held: EntryVersion, entry: PeerEntry): Verdict {
  const order = compareVersions(entry.version, held);
  if (order < 0) return 'older';
  if (order === 0) return 'equal';
  return entry.isDeparted ? 'depart' : 'update';
}
