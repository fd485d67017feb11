import {
  InvalidArgumentError,
  type Metrics,
  type NetworkId,
  type PeerId,
  shortId,
  TimeoutError,
  withTimeout,
} from '@mosaik/primitives';
import {
  type Link,
  PeerUnreachableError,
  type Protocol,
  protocolId,
  type TransportEvent,
} from '@mosaik/transport';
import { type Accepted, createLink, OpenLinks } from '@mosaik/transport/link';
import { SimChannel } from '../network/channel.ts';
import type { ConnectionSide } from '../network/connection.ts';
import type { OpenRequest } from '../network/endpoint.ts';
import type { Process } from '../world/process.ts';
import { NEGOTIATION_BYTES, type Opening, openLink } from './opening.ts';

interface LinksOptions {
  readonly process: Process;
  readonly network: NetworkId;
  readonly openTimeoutMs: number;
  readonly metrics: Metrics;
  readonly emit: (event: TransportEvent) => void;
  readonly onError: (thrown: unknown, where: string) => void;
}

/** The links of a transport: opens and accepts them, and knows those that are open. */
export class SimLinks {
  readonly #options: LinksOptions;
  readonly #accepted = new Map<string, (side: ConnectionSide, request: OpenRequest) => void>();
  readonly #openings = new Set<Opening>();
  readonly #links: OpenLinks;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#links = new OpenLinks(options);
  }

  get all(): readonly Link<unknown>[] {
    return [...this.#links];
  }

  /** What is open and under way, as text. */
  get activity(): readonly string[] {
    const openings = [...this.#openings].map(({ side }) => `opening a link to ${shortId(side.peer)}`);
    const links = this.all.map((link) => `link ${link.protocol} to ${shortId(link.peer)}`);
    return [...openings, ...links];
  }

  async open<M>(
    side: ConnectionSide,
    protocol: Protocol<M>,
    signal: AbortSignal | undefined,
  ): Promise<Link<M>> {
    const { process, network, openTimeoutMs } = this.#options;
    const definition = { protocol, protocolId: protocolId(network, protocol) };
    const limits = { what: `opening ${protocol.name}`, timeoutMs: openTimeoutMs, signal };
    const opening = withTimeout(process.runtime, limits, (until) =>
      openLink(side, definition, this.#openings, { signal: until }),
    );
    const link = await opening.catch((cause: Error) => {
      if (!(cause instanceof TimeoutError)) throw cause;
      throw new PeerUnreachableError(shortId(side.peer), [side.other.endpoint.address], { cause });
    });
    this.#links.add(link, protocol);
    return link;
  }

  /** Lets links of a protocol in until disposed. */
  accept<M>(accepted: Accepted<M>): Disposable {
    const { protocol } = accepted;
    const id = protocolId(this.#options.network, protocol);
    if (this.#accepted.has(id))
      throw new InvalidArgumentError('protocol', `${protocol.name} is accepted already`);
    const serve = (side: ConnectionSide, request: OpenRequest): void =>
      this.#links.serve(this.#acceptLink(protocol, side, request), accepted);
    this.#accepted.set(id, serve);
    return {
      [Symbol.dispose]: () => {
        if (this.#accepted.get(id) === serve) this.#accepted.delete(id);
      },
    };
  }

  /** The other side of a connection asks for a link. */
  asked(side: ConnectionSide, request: OpenRequest): void {
    const serve = this.#accepted.get(request.protocolId);
    if (serve) serve(side, request);
    else side.transmit(request.lane, NEGOTIATION_BYTES, () => request.unsupported());
  }

  /** The connection is gone, and what was being opened on it, too. */
  lost(side: ConnectionSide): void {
    for (const opening of [...this.#openings]) if (opening.side === side) opening.fail();
  }

  /** Closes the links, of one peer or of all, and waits until the other sides have finished. */
  close(peer: PeerId | undefined, reason: string): Promise<void> {
    return this.#links.close(peer, reason);
  }

  #acceptLink<M>(protocol: Protocol<M>, side: ConnectionSide, request: OpenRequest): Link<M> {
    const link = createLink({
      peer: side.peer,
      protocol,
      protocolId: request.protocolId,
      direction: 'inbound',
      runtime: this.#options.process.runtime,
      channel: (events) => {
        const channel = new SimChannel(side, request.lane, events);
        // Before anything that this side sends on it.
        side.transmit(request.lane, NEGOTIATION_BYTES, () => request.accepted(channel));
        return channel;
      },
    });
    this.#links.add(link, protocol);
    return link;
  }
}
