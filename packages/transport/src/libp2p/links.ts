import type { Connection as Libp2pConnection, Stream } from '@libp2p/interface';
import { type Metrics, type PeerId, type Runtime, toError } from '@mosaik/primitives';
import type { AcceptGate } from '../adapter/accept-gate.ts';
import { CloseCode } from '../codes.ts';
import { createLink } from '../link/create-link.ts';
import type { Link } from '../link/link.ts';
import type { Protocol } from '../protocol.ts';
import type { LinkHandler } from '../transport.ts';
import { streamChannel } from './channel.ts';
import type { Members } from './members.ts';

/** What a node accepts of one protocol. */
export interface Accepted<M> {
  readonly protocol: Protocol<M>;
  readonly handler: LinkHandler<M>;
  readonly gate: AcceptGate;
}

interface LinksOptions {
  readonly members: Members;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly onError: (thrown: unknown, where: string) => void;
}

/** The links of a transport: makes them of streams, and knows those that are open. */
export class Links {
  readonly #options: LinksOptions;
  readonly #open = new Set<Link<unknown>>();

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** A link over a stream that was negotiated in either direction. */
  wrap<M>(peer: PeerId, protocol: Protocol<M>, stream: Stream, raw: Libp2pConnection): Link<M> {
    const { members, runtime, metrics, onError } = this.#options;
    const link = createLink({
      peer,
      protocol,
      protocolId: stream.protocol,
      direction: stream.direction,
      runtime,
      channel: streamChannel(stream, {
        connectionEnd: () => members.endOf(raw),
        onError: (error) => onError(error, 'stream'),
      }),
    });
    this.#open.add(link);
    void link.ended.then((end) => {
      this.#open.delete(link);
      const code = 'code' in end ? end.code : 0;
      metrics.counter('mosaik.link.ended').add(1, { protocol: protocol.name, kind: end.kind, code });
    });
    return link;
  }

  /** Lets a peer's stream in, or refuses it with a code. */
  serve<M>(accepted: Accepted<M>, stream: Stream, raw: Libp2pConnection): void {
    const peer = this.#options.members.peerOf(raw);
    const link = this.wrap(peer, accepted.protocol, stream, raw);
    const leave = accepted.gate.enter(peer);
    if (leave === undefined) {
      this.#refuse(link, accepted.protocol.name);
      return;
    }
    void link.ended.then(leave);
    void this.#handle(link, accepted.handler);
  }

  /** Closes every link and waits until the other sides have finished. */
  async closeAll(code: number, reason: string): Promise<void> {
    await Promise.all([...this.#open].map((link) => link.close(code, reason)));
  }

  #refuse(link: Link<unknown>, protocolName: string): void {
    const { members, metrics } = this.#options;
    const code = CloseCode.TooMany;
    metrics.counter('mosaik.link.refused').add(1, { protocol: protocolName, code });
    members.events.emit({ type: 'refused', peer: link.peer, protocol: protocolName, code });
    void link.close(code, 'too many links');
  }

  async #handle<M>(link: Link<M>, handler: LinkHandler<M>): Promise<void> {
    try {
      await handler(link);
    } catch (thrown) {
      // An error that only says how the link ended is no failure of the handler.
      if (link.end !== undefined) return;
      this.#options.onError(thrown, 'link handler');
      await link.close(CloseCode.InternalError, toError(thrown).message);
    }
  }
}
