import type { PeerInfo } from '@mosaik/discovery';
import { toError } from '@mosaik/primitives';

/** What a user's predicate says of a peer; one that fails does not accept it. */
export function accepts(
  acceptIf: ((peer: PeerInfo) => boolean) | undefined,
  peer: PeerInfo,
  onError: (error: Error) => void,
): boolean {
  try {
    return acceptIf?.(peer) ?? true;
  } catch (thrown) {
    onError(toError(thrown));
    return false;
  }
}
