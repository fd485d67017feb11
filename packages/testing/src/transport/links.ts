import {
  AbortedError,
  ClosedError,
  InvalidArgumentError,
  type Metrics,
  type NetworkId,
  type PeerId,
  shortId,
  TimeoutError,
  toError,
  withTimeout,
} from '@mosaik/primitives';
import {
  CloseCode,
  type Link,
  LinkEndedError,
  type LinkHandler,
  PeerUnreachableError,
  type Protocol,
  protocolId,
  type TransportEvent,
} from '@mosaik/transport';
import { type AcceptGate, createLink } from '@mosaik/transport/link';
import { SimChannel } from '../network/channel.ts';
import type { ConnectionSide } from '../network/connection.ts';
import type { OpenRequest } from '../network/endpoint.ts';
import type { Process } from '../world/process.ts';
import { NEGOTIATION_BYTES, type Opening, openLink } from './opening.ts';

/** What a node accepts of one protocol. */
interface Accepted<M> {
  readonly protocol: Protocol<M>;
  readonly handler: LinkHandler<M>;
  readonly gate: AcceptGate;
}

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
  readonly #open = new Set<Link<unknown>>();

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** What is open and under way, as text. */
  get activity(): readonly string[] {
    const openings = [...this.#openings].map(({ side }) => `opening a link to ${shortId(side.peer)}`);
    const links = [...this.#open].map((link) => `link ${link.protocol} to ${shortId(link.peer)}`);
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
    this.#track(link, protocol.name);
    return link;
  }

  /** Lets links of a protocol in until disposed. */
  accept<M>(accepted: Accepted<M>): Disposable {
    const { protocol } = accepted;
    const id = protocolId(this.#options.network, protocol);
    if (this.#accepted.has(id))
      throw new InvalidArgumentError('protocol', `${protocol.name} is accepted already`);
    const serve = (side: ConnectionSide, request: OpenRequest): void => this.#serve(accepted, side, request);
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
  async close(peer: PeerId | undefined, reason: string): Promise<void> {
    const links = [...this.#open].filter((link) => peer === undefined || link.peer === peer);
    await Promise.all(links.map((link) => link.close(CloseCode.ShuttingDown, reason)));
  }

  #serve<M>(accepted: Accepted<M>, side: ConnectionSide, request: OpenRequest): void {
    const link = this.#acceptLink(accepted.protocol, side, request);
    const leave = accepted.gate.enter(link.peer);
    if (leave === undefined) {
      this.#refuse(link, accepted.protocol.name);
      return;
    }
    void link.ended.then(leave);
    void this.#handle(link, accepted.handler);
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
    this.#track(link, protocol.name);
    return link;
  }

  #refuse(link: Link<unknown>, protocol: string): void {
    const { metrics, emit } = this.#options;
    const code = CloseCode.TooMany;
    metrics.counter('mosaik.link.refused').add(1, { protocol, code });
    emit({ type: 'refused', peer: link.peer, protocol, code });
    void link.close(code, 'too many links').then(() => link.abort('refused'));
  }

  async #handle<M>(link: Link<M>, handler: LinkHandler<M>): Promise<void> {
    try {
      await handler(link);
    } catch (thrown) {
      if (link.end !== undefined && isOfTheEnd(thrown)) return;
      this.#options.onError(thrown, 'link handler');
      await link.close(CloseCode.InternalError, toError(thrown).message);
    }
  }

  #track(link: Link<unknown>, protocol: string): void {
    this.#open.add(link);
    void link.ended.then((end) => {
      this.#open.delete(link);
      const code = 'code' in end ? end.code : 0;
      this.#options.metrics.counter('mosaik.link.ended').add(1, { protocol, kind: end.kind, code });
    });
  }
}

/** Whether an error only says that the link has ended, which is no failure of its handler. */
function isOfTheEnd(thrown: unknown): boolean {
  return thrown instanceof LinkEndedError || thrown instanceof AbortedError || thrown instanceof ClosedError;
}
