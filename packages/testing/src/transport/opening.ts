import { shortId, type WaitOptions, waitFor } from '@mosaik/primitives';
import { type Link, PeerUnreachableError, type Protocol, ProtocolUnsupportedError } from '@mosaik/transport';
import { type ChannelEvents, createLink } from '@mosaik/transport/link';
import { SimChannel } from '../network/channel.ts';
import type { ConnectionSide } from '../network/connection.ts';

/** A negotiation of protocols: one message there, one back. */
export const NEGOTIATION_BYTES: number = 120;

/** A link on its way to be opened. */
export interface Opening {
  readonly side: ConnectionSide;
  /** The connection is gone. */
  fail(): void;
}

const NOBODY: ChannelEvents = {
  data: () => false,
  drain: () => undefined,
  remoteEnd: () => undefined,
  closed: () => undefined,
};

/** Opens a link over a connection: one round trip. `openings` holds it meanwhile. */
export function openLink<M>(
  side: ConnectionSide,
  definition: { readonly protocol: Protocol<M>; readonly protocolId: string },
  openings: Set<Opening>,
  options: WaitOptions,
): Promise<Link<M>> {
  const { protocol, protocolId } = definition;
  const lane = protocol.priority;
  return waitFor<Link<M>>(`opening ${protocol.name}`, options.signal, (resolve, reject) => {
    let isOver = false;
    const opening: Opening = { side, fail: () => reject(lostMeanwhile(side)) };
    const accepted = (remote: SimChannel): void => {
      if (isOver) giveUp(side, remote, lane);
      else resolve(joinLink(side, definition, remote));
    };
    const unsupported = (): void => reject(new ProtocolUnsupportedError(side.peer, protocolId));
    openings.add(opening);
    side.transmit(lane, NEGOTIATION_BYTES, () =>
      side.other.endpoint.asked(side.other, { protocolId, lane, accepted, unsupported }),
    );
    return () => {
      isOver = true;
      openings.delete(opening);
    };
  });
}

function joinLink<M>(
  side: ConnectionSide,
  { protocol, protocolId }: { readonly protocol: Protocol<M>; readonly protocolId: string },
  remote: SimChannel,
): Link<M> {
  return createLink({
    peer: side.peer,
    protocol,
    protocolId,
    direction: 'outbound',
    runtime: side.process.runtime,
    channel: (events) => {
      const own = new SimChannel(side, protocol.priority, events);
      own.join(remote);
      return own;
    },
  });
}

function giveUp(side: ConnectionSide, remote: SimChannel, lane: 'control' | 'bulk'): void {
  const own = new SimChannel(side, lane, NOBODY);
  own.join(remote);
  own.abort('the opening was given up');
}

function lostMeanwhile(side: ConnectionSide): PeerUnreachableError {
  const cause = new Error('the connection was lost while the link was opened');
  return new PeerUnreachableError(shortId(side.peer), [side.other.endpoint.address], { cause });
}
