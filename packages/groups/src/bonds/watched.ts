import { createLog, invariant, type PeerId, shortId, toError } from '@mosaik/primitives';
import type { Bond, BondEnd, BondedGroup } from './bond.ts';

const log = createLog('groups:bonds');

/**
 * A group as carriers see it: its bonds are kept in `bonds`, and what it throws when it is told of something is its own fault,
 * and ends nothing of other groups.
 */
export function watched(
  group: BondedGroup,
  bonds: Map<PeerId, Bond>,
  onBonded: (peer: PeerId) => void,
): BondedGroup {
  const guarded = (call: () => void): void => {
    try {
      call();
    } catch (thrown) {
      group.onFault(toError(thrown));
    }
  };
  return {
    id: group.id,
    proofKey: group.proofKey,
    isSelective: group.isSelective,
    status: () => group.status(),
    acceptIf: (peer) => group.acceptIf(peer),
    onFault: (error) => group.onFault(error),
    onStatus: (bond) => guarded(() => group.onStatus(bond)),
    onMessage: (bond, payload) => guarded(() => group.onMessage(bond, payload)),
    onSilent: (bond) => guarded(() => group.onSilent(bond)),
    onRefused: (peer, code, reason) => guarded(() => group.onRefused(peer, code, reason)),
    onBonded: (bond) => {
      invariant(!bonds.has(bond.peer), 'two bonds with one peer in one group');
      bonds.set(bond.peer, bond);
      onBonded(bond.peer);
      log('%s: bonded with %s', shortId(group.id), shortId(bond.peer));
      guarded(() => group.onBonded(bond));
    },
    onEnded: (bond, end) => {
      bonds.delete(bond.peer);
      log('%s: bond with %s is over: %s', shortId(group.id), shortId(bond.peer), describeBondEnd(end));
      guarded(() => group.onEnded(bond, end));
    },
  };
}

/** How a bond ended, for people. */
function describeBondEnd({ kind, code, reason }: BondEnd): string {
  return code === 0 ? `${kind}: ${reason}` : `${kind}: ${reason} (${code})`;
}
