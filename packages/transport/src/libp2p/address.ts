import { InvalidArgumentError, type PeerId } from '@mosaik/primitives';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { PeerUnreachableError, WrongPeerError } from '../errors.ts';
import type { Address } from '../transport.ts';
import { toLibp2pPeerId } from './identity.ts';

/**
 * An address as libp2p takes it.
 *
 * @throws {InvalidArgumentError} when it is none.
 */
export function parseAddress(address: Address): Multiaddr {
  try {
    return multiaddr(address);
  } catch (cause) {
    const expected = `a multiaddr like /ip4/10.0.0.1/tcp/4000, not "${address}"`;
    throw new InvalidArgumentError('address', expected, { cause });
  }
}

/** What an address ends with that names the peer there; a relay's name further in front does not count. */
const LAST_NAME = /\/p2p\/([^/]+)$/;

/** The address with the peer's name at its end, so that a dial reaches this peer or fails; undefined for another's. */
export function nameAddress(address: Address, peer: PeerId): Address | undefined {
  const name = toLibp2pPeerId(peer).toString();
  const last = LAST_NAME.exec(address)?.[1];
  if (last === undefined) return `${address}/p2p/${name}`;
  return last === name ? address : undefined;
}

/** How Noise and TLS say that somebody else answered; libp2p keeps no more than the text of their errors. */
const WRONG_PEER = /does not match expected remote identity key|Unexpected Peer/;

/** What a failed dial means. */
export function dialError(who: string, addresses: readonly Address[], cause: Error): Error {
  const isOther = messagesOf(cause).some((message) => WRONG_PEER.test(message));
  return isOther ? new WrongPeerError(who, { cause }) : new PeerUnreachableError(who, addresses, { cause });
}

function messagesOf(error: Error): string[] {
  const inner = error instanceof AggregateError ? error.errors.filter((one) => one instanceof Error) : [];
  return [error.message, ...inner.flatMap(messagesOf)];
}
