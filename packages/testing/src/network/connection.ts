import type { PeerId } from '@mosaik/primitives';
import type { Direction, DisconnectReason } from '@mosaik/transport';
import type { ChannelEnd } from '@mosaik/transport/link';
import { EventKind } from '../clock/event-kind.ts';
import type { SimEvent } from '../clock/event-queue.ts';
import type { Process } from '../world/process.ts';
import type { SimChannel } from './channel.ts';
import type { Endpoint } from './endpoint.ts';
import type { ArrivalOrder, Lane, Route } from './route.ts';

/** A FIN or RST; the size hardly matters. */
const END_BYTES = 20;

/** A connection between two endpoints, as TCP with a multiplexer on it: two sides that may know different things. */
export class SimConnection {
  readonly dialer: ConnectionSide;
  readonly acceptor: ConnectionSide;

  constructor(dialer: Endpoint, acceptor: Endpoint, routes: { readonly there: Route; readonly back: Route }) {
    this.dialer = new ConnectionSide(this, dialer, 'outbound', routes.there);
    this.acceptor = new ConnectionSide(this, acceptor, 'inbound', routes.back);
  }

  get sides(): readonly [ConnectionSide, ConnectionSide] {
    return [this.dialer, this.acceptor];
  }

  get isOver(): boolean {
    return !this.dialer.isOpen && !this.acceptor.isOpen;
  }

  /** Resets it in the middle of the network: each side learns at once, what is on the way is lost. */
  lose(): void {
    for (const side of this.sides) {
      side.process.scheduler.soon(side.process, EventKind.loss, () => side.finish('lost'));
    }
  }
}

/** One end of a connection. Invariant: once `isOpen` is false nothing goes out or comes in here, for ever. */
export class ConnectionSide {
  readonly connection: SimConnection;
  readonly endpoint: Endpoint;
  readonly direction: Direction;
  /** The way to the other side. */
  readonly route: Route;
  readonly channels: Set<SimChannel> = new Set();
  /** {@link Runtime.now} when it was made. */
  readonly openedAtMs: number;
  readonly #order: ArrivalOrder = { controlMs: 0, bulkMs: 0 };
  #isOpen = true;
  /** Declares the peer silent, unless something changes before. */
  #silence: SimEvent | undefined;
  #loss: SimEvent | undefined;

  constructor(connection: SimConnection, endpoint: Endpoint, direction: Direction, route: Route) {
    this.connection = connection;
    this.endpoint = endpoint;
    this.direction = direction;
    this.route = route;
    this.openedAtMs = endpoint.process.runtime.now();
  }

  get process(): Process {
    return this.endpoint.process;
  }

  get other(): ConnectionSide {
    const { dialer, acceptor } = this.connection;
    return this === dialer ? acceptor : dialer;
  }

  get peer(): PeerId {
    return this.other.endpoint.peerId;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends something to the other side; it is handled there if that still knows of the connection. */
  transmit(lane: Lane, bytes: number, deliver: () => void): void {
    if (!this.#isOpen) return;
    const { other } = this;
    this.route.transmit({
      bytes,
      lane,
      order: this.#order,
      process: other.process,
      deliver: () => {
        if (other.#isOpen) deliver();
      },
    });
  }

  /** Tells the other side that this is the end, after all that was sent before. */
  sendEnd(reason: DisconnectReason): void {
    const { other } = this;
    this.transmit('both', END_BYTES, () => other.finish(reason));
  }

  /** The connection is over as far as this side knows: its links end, its transport is told. */
  finish(reason: DisconnectReason): void {
    if (!this.#isOpen) return;
    this.vanish();
    const { trace } = this.process.scheduler;
    trace.text('end', reason);
    const end = this.#channelEnd(reason);
    for (const channel of [...this.channels]) channel.lost(end);
    this.channels.clear();
    this.endpoint.disconnected(this, reason);
  }

  /** This side is gone, and nobody here is told: its process is. */
  vanish(): void {
    this.#isOpen = false;
    this.#silence?.cancel();
    this.#loss?.cancel();
  }

  /**
   * Looks anew whether anything of the other side can be heard, and starts or stops the clock of silence. Called when
   * something has changed: no connection ticks by itself.
   */
  review(): void {
    if (!this.#isOpen) return;
    if (!this.#isDeaf) {
      this.#silence?.cancel();
      this.#silence = undefined;
      return;
    }
    this.#silence ??= this.process.scheduler.at(
      this.process.scheduler.nowMs + this.endpoint.silenceTimeoutMs,
      this.process,
      EventKind.silence,
      () => this.#declareSilent(),
    );
  }

  /** Draws anew when the connection will be lost to the network. */
  drawLoss(atMs: number | undefined): void {
    this.#loss?.cancel();
    this.#loss = undefined;
    if (atMs === undefined || !this.#isOpen) return;
    this.#loss = this.process.scheduler.at(atMs, this.process, EventKind.loss, () => this.connection.lose());
  }

  /** Liveness is a beat and its answer, so either way being blocked is enough. */
  get #isDeaf(): boolean {
    const { other } = this;
    const isBlocked = this.route.path.blocked || other.route.path.blocked;
    return isBlocked || !other.process.isAlive || other.process.isStalled;
  }

  #declareSilent(): void {
    this.sendEnd('lost');
    this.finish('silent');
  }

  #channelEnd(reason: DisconnectReason): ChannelEnd {
    if (reason === 'silent') {
      return { kind: 'silent', reason: `nothing was heard for ${this.endpoint.silenceTimeoutMs} ms` };
    }
    const why = reason === 'closed' ? 'the connection was closed' : 'the connection ended without a goodbye';
    return { kind: 'lost', reason: why };
  }
}
