import { AbortedError, ClosedError, type Metrics, type PeerId, toError } from '@mosaik/primitives';
import { CloseCode } from '../codes.ts';
import { LinkEndedError } from '../errors.ts';
import type { Link } from '../link/link.ts';
import type { Protocol } from '../protocol.ts';
import type { LinkHandler, TransportEvent } from '../transport.ts';
import type { AcceptGate } from './accept-gate.ts';

/** What a node accepts of one protocol. */
export interface Accepted<M> {
  readonly protocol: Protocol<M>;
  readonly handler: LinkHandler<M>;
  readonly gate: AcceptGate;
}

interface OpenLinksOptions {
  readonly metrics: Metrics;
  readonly emit: (event: TransportEvent) => void;
  readonly onError: (thrown: unknown, where: string) => void;
}

/** The links of a transport that are open, opened by either side: counts how they end, and serves those of others. */
export class OpenLinks {
  readonly #options: OpenLinksOptions;
  readonly #links = new Set<Link<unknown>>();

  constructor(options: OpenLinksOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): IterableIterator<Link<unknown>> {
    return this.#links.values();
  }

  /** Knows a link until it ends. */
  add<M>(link: Link<M>, protocol: Protocol<M>): void {
    this.#links.add(link);
    void link.ended.then((end) => {
      this.#links.delete(link);
      const labels = { protocol: protocol.name, kind: end.kind, code: 'code' in end ? end.code : 0 };
      this.#options.metrics.counter('mosaik.link.ended').add(1, labels);
    });
  }

  /** Hands a peer's link to whoever accepts it, or refuses it with a code. */
  serve<M>(link: Link<M>, { protocol, handler, gate }: Accepted<M>): void {
    const leave = gate.enter(link.peer);
    if (leave === undefined) {
      this.#refuse(link, protocol.name);
      return;
    }
    void link.ended.then(leave);
    void this.#handle(link, handler);
  }

  /** Closes the links, of one peer or of all, and waits until the other sides have finished. */
  async close(peer: PeerId | undefined, reason: string): Promise<void> {
    const links = [...this.#links].filter((link) => peer === undefined || link.peer === peer);
    await Promise.all(links.map((link) => link.close(CloseCode.ShuttingDown, reason)));
  }

  #refuse(link: Link<unknown>, protocol: string): void {
    const { metrics, emit } = this.#options;
    const code = CloseCode.TooMany;
    metrics.counter('mosaik.link.refused').add(1, { protocol, code });
    emit({ type: 'refused', peer: link.peer, protocol, code });
    // One that does not take its leave is not kept for the minute that other links have.
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
}

/** Whether an error only says that the link has ended, which is no failure of its handler. */
function isOfTheEnd(thrown: unknown): boolean {
  return thrown instanceof LinkEndedError || thrown instanceof AbortedError || thrown instanceof ClosedError;
}
