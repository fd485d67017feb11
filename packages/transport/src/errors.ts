import { MosaikError, type PeerId, shortId } from '@mosaik/primitives';
import { describeLinkEnd, type LinkEnd } from './link/end.ts';

/** The link is over: `end` tells how. Messages that were not accepted before are not delivered. */
export class LinkEndedError extends MosaikError {
  override readonly name = 'LinkEndedError';
  readonly end: LinkEnd;

  constructor(end: LinkEnd, options?: ErrorOptions) {
    super('ERR_LINK_ENDED', describeLinkEnd(end), options);
    this.end = end;
  }
}

/** A message that encodes to more than the protocol's `maxFrameBytes`; it was not sent, the link goes on. */
export class FrameTooLargeError extends MosaikError {
  override readonly name = 'FrameTooLargeError';

  constructor(bytes: number, maxFrameBytes: number) {
    super('ERR_FRAME_TOO_LARGE', `a message of ${bytes} bytes is over the frame limit of ${maxFrameBytes}`);
  }
}

/** More sends are waiting for room than are bounded for; the message was not sent. Await each `send`. */
export class TooManyWaitingError extends MosaikError {
  override readonly name = 'TooManyWaitingError';

  constructor(waiting: number) {
    super('ERR_TOO_MANY_WAITING', `${waiting} sends already wait for room on this link: await each of them`);
  }
}

/** No address of the peer answered, or none is known. */
export class PeerUnreachableError extends MosaikError {
  override readonly name = 'PeerUnreachableError';
  readonly addresses: readonly string[];

  constructor(who: string, addresses: readonly string[], options?: ErrorOptions) {
    const tried = addresses.length === 0 ? 'no address is known' : `tried ${addresses.join(', ')}`;
    super('ERR_PEER_UNREACHABLE', `cannot reach ${who}: ${tried}${causeOf(options)}`, options);
    this.addresses = addresses;
  }
}

/** Whoever answers at the address is not the peer that was meant. */
export class WrongPeerError extends MosaikError {
  override readonly name = 'WrongPeerError';

  constructor(address: string, options?: ErrorOptions) {
    super('ERR_WRONG_PEER', `${address} is answered by another peer than the one it names`, options);
  }
}

/** The peer does not speak the protocol: it is of another version, of another network, or does not offer it. */
export class ProtocolUnsupportedError extends MosaikError {
  override readonly name = 'ProtocolUnsupportedError';
  readonly peer: PeerId;

  constructor(peer: PeerId, protocolId: string, options?: ErrorOptions) {
    super('ERR_PROTOCOL_UNSUPPORTED', `${shortId(peer)} does not speak ${protocolId}`, options);
    this.peer = peer;
  }
}

function causeOf(options: ErrorOptions | undefined): string {
  return options?.cause instanceof Error ? ` (${options.cause.message})` : '';
}
