import { createLog, shortId } from '@mosaik/primitives';
import type { ApplyObserver } from '../machine/applier.ts';
import type { LogIndex, MemberId } from '../raft/types.ts';
import { peerOf } from '../wire/member.ts';
import type { Farewell } from './leaving.ts';
import type { Member } from './member.ts';
import { StateHashes } from './state-hashes.ts';

const log = createLog('groups:member');

/** A state that differs from the own one. */
export interface Divergence {
  readonly index: LogIndex;
  readonly member: MemberId;
  /** Monotonic. */
  readonly noticedAtMs: number;
}

interface Parts {
  readonly hashes: StateHashes;
  readonly farewell: () => Farewell | undefined;
}

/** What a member hears of its machine while it applies entries. */
export function createApplyObserver(member: Member, { hashes, farewell }: Parts): ApplyObserver<unknown> {
  return {
    opened: (nonce, session) => {
      member.session.opened(nonce, session);
      farewell()?.opened(nonce, session);
    },
    wants: (session) => session === member.session.number,
    outcome: (session, sequence, outcome) => {
      if (session === member.session.number) member.session.outcome(sequence, outcome);
    },
    hashed: (index, hash) => hashes.own(index, hash),
    fault: (index, error) => log.error('%s: entry %d: %s', shortId(member.id), index, error.message),
  };
}

/** Compares the state of a member with that of the others of its history, and tells when they differ. */
export function createStateHashes(member: Member): StateHashes {
  return new StateHashes({
    every: member.settings.compareStateEvery,
    tell: (index, hash) => {
      for (const { status } of member.peers.all())
        if (member.isOurs(status.member)) member.send(status.member, { kind: 'stateHash', index, hash });
    },
    diverged: (index, other) => {
      member.divergence ??= { index, member: other, noticedAtMs: member.runtime.now() };
      member.options.metrics.counter('mosaik.groups.divergences').add(1);
      log.error('%s: the state at %d differs from that of %s', shortId(member.id), index, peerOf(other));
      member.changed();
    },
  });
}
