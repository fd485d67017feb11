import type { PeerId } from '@mosaik/primitives';
import type { Epoch, Sequence } from '@mosaik/streams';
import type { LogOffer } from '../wire/messages.ts';
import type { ProducerStanding } from './holders.ts';

/** A holder of the log, as a plan sees it. */
export interface Candidate {
  readonly peer: PeerId;
  readonly offer: LogOffer;
  /** It failed a moment ago. */
  readonly isResting: boolean;
  /** The first place at or after the position that it has, as far as is known. */
  readonly begins: Sequence;
}

/** What a source knows when it decides how to go on. */
export interface Situation {
  readonly position: Sequence;
  readonly candidates: readonly Candidate[];
  readonly producer: ProducerStanding;
}

/** How to go on. */
export type Plan =
  /** Take what the holder has, and then what comes; with `untilEnd`, only what it has. */
  | { readonly kind: 'follow'; readonly peer: PeerId; readonly untilEnd: boolean; readonly isLast: boolean }
  /** Take a range from several holders at once. */
  | {
      readonly kind: 'pull';
      readonly peers: readonly PeerId[];
      readonly to: Sequence;
      readonly datumBytes: number;
    }
  /** Nobody has what lies before `to`. To be asserted anew before it is believed, like `over`. */
  | { readonly kind: 'gap'; readonly to: Sequence }
  /** Nothing more comes of this log. */
  | { readonly kind: 'over'; readonly present: Epoch }
  | { readonly kind: 'wait'; readonly why: string };

/** Below this a mirror is not worth a detour: the producer has it close at hand. */
const MIRROR_BYTES_MIN = 1024 * 1024;
/** From here on several mirrors share the work. */
const PULL_BYTES_MIN = 4 * 1024 * 1024;
const PULL_PEERS_MAX = 4;

/**
 * Decides how a source goes on: history from mirrors, several at once if there is much of it, the producer last; and what comes
 * from the producer, or when it is away from the mirror that is furthest. The producer alone knows where its log ends.
 */
export function planNext(situation: Situation): Plan {
  const { position, candidates, producer } = situation;
  const usable = candidates.filter(({ isResting }) => !isResting);
  const has = ({ offer, begins }: Candidate): boolean => begins === position && position < offer.next;
  const mirrors = usable.filter((candidate) => !candidate.offer.isOwn && has(candidate)).sort(byReach);
  const owner = usable.find(({ offer }) => offer.isOwn);
  const isOwnerClose = owner !== undefined && owner.begins === position;
  if (
    mirrors.length > 0 &&
    (!isOwnerClose || bytesLeft(mirrors[0] as Candidate, position) >= MIRROR_BYTES_MIN)
  )
    return fromMirrors(mirrors, situation);
  if (owner !== undefined && isOwnerClose)
    return { kind: 'follow', peer: owner.peer, untilEnd: false, isLast: true };
  if (producer.kind === 'unanswered' || (producer.kind === 'writes' && owner === undefined))
    return { kind: 'wait', why: 'the producer does not answer' };
  return withoutData(situation, usable);
}

/** Nobody who can be asked has the data at the position. */
function withoutData({ position, candidates, producer }: Situation, usable: readonly Candidate[]): Plan {
  // Who rests may have it.
  if (candidates.some(({ isResting, offer }) => isResting && offer.next > position))
    return { kind: 'wait', why: 'a holder has failed, and will be asked again' };
  const later = usable.map(({ begins }) => begins).filter((begins) => begins > position);
  if (later.length > 0) return { kind: 'gap', to: Math.min(...later) };
  if (producer.kind === 'writesAnother') return { kind: 'over', present: producer.present };
  const atEnd = usable.find(({ offer }) => offer.next === position);
  if (atEnd !== undefined) return { kind: 'follow', peer: atEnd.peer, untilEnd: false, isLast: true };
  if (usable.length > 0)
    return { kind: 'wait', why: 'the mirrors that answer are not so far, and the producer is away' };
  return { kind: 'wait', why: 'no holder of the log answers' };
}

function fromMirrors(mirrors: readonly Candidate[], { position, producer }: Situation): Plan {
  const best = mirrors[0] as Candidate;
  const ample = mirrors.filter((mirror) => bytesLeft(mirror, position) >= PULL_BYTES_MIN);
  if (ample.length >= 2) {
    const peers = ample.slice(0, PULL_PEERS_MAX);
    // No further than all of them reach, so that each can take any part.
    const to = Math.min(...peers.map(({ offer }) => offer.next));
    return { kind: 'pull', peers: peers.map(({ peer }) => peer), to, datumBytes: datumBytes(best.offer) };
  }
  const isOwnerExpected = producer.kind === 'writes' || producer.kind === 'unanswered';
  return { kind: 'follow', peer: best.peer, untilEnd: isOwnerExpected, isLast: !isOwnerExpected };
}

/** Who is furthest comes first. */
function byReach(a: Candidate, b: Candidate): number {
  return b.offer.next - a.offer.next || (a.peer < b.peer ? -1 : 1);
}

function datumBytes({ first, next, bytes }: LogOffer): number {
  return bytes / Math.max(1, next - first);
}

function bytesLeft({ offer }: Candidate, position: Sequence): number {
  return (offer.next - position) * datumBytes(offer);
}
