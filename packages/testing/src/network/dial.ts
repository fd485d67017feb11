import { type PeerId, shortId, type WaitOptions, waitFor } from '@mosaik/primitives';
import { PeerUnreachableError, ProtocolUnsupportedError, WrongPeerError } from '@mosaik/transport';
import { EventKind } from '../clock/event-kind.ts';
import type { Process } from '../world/process.ts';
import type { SimAddress } from './address.ts';
import type { ConnectionSide } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import type { Machine } from './machine.ts';
import type { ArrivalOrder, Route } from './route.ts';

/** What a dial needs of the network. */
export interface DialContext {
  /** The process of the world itself: it stands for the kernels of machines. */
  readonly kernel: Process;
  machine(name: string): Machine | undefined;
  route(from: Machine, to: Machine): Route;
  establish(dialer: Endpoint, acceptor: Endpoint): ConnectionSide;
}

/** Whom to dial. */
export interface DialTarget extends WaitOptions {
  readonly address: SimAddress;
  /** As the user wrote it, for error messages. */
  readonly text: string;
  readonly timeoutMs: number;
}

const HANDSHAKE_BYTES = 200;

/**
 * Dials an address: there, back and there again (1.5 round trips) before both sides are connected. A machine without
 * power does not answer, nor does one behind a partition: that takes the whole timeout. One that is up and has nobody
 * listening refuses after one round trip.
 */
export function dial(context: DialContext, self: Endpoint, target: DialTarget): Promise<ConnectionSide> {
  const machine = context.machine(target.address.host);
  if (machine === undefined) return Promise.reject(unreachable(target, 'no host has this name'));
  return waitFor<ConnectionSide>(`dialling ${target.text}`, target.signal, (resolve, reject) => {
    const handshake = new Handshake(context, self, { machine, target, resolve, reject });
    handshake.start();
    return () => handshake.stop();
  });
}

interface HandshakeOptions {
  readonly machine: Machine;
  readonly target: DialTarget;
  readonly resolve: (side: ConnectionSide) => void;
  readonly reject: (error: Error) => void;
}

/** One attempt to connect; each method runs where its packet has arrived. */
class Handshake {
  readonly #context: DialContext;
  readonly #self: Endpoint;
  readonly #options: HandshakeOptions;
  readonly #there: Route;
  readonly #back: Route;
  readonly #order: ArrivalOrder = { controlMs: 0, bulkMs: 0 };
  #isOver = false;
  #cancelTimeout: () => void = () => undefined;

  constructor(context: DialContext, self: Endpoint, options: HandshakeOptions) {
    this.#context = context;
    this.#self = self;
    this.#options = options;
    this.#there = context.route(self.machine, options.machine);
    this.#back = context.route(options.machine, self.machine);
  }

  start(): void {
    const { target } = this.#options;
    const timer = this.#self.process.runtime.setTimer(target.timeoutMs, () =>
      this.#fail(`no answer within ${target.timeoutMs} ms`),
    );
    this.#cancelTimeout = () => timer.cancel();
    this.#transmit(this.#there, this.#context.kernel, () => this.#atMachine());
  }

  /** The outcome is known, or nobody cares any more. */
  stop(): void {
    this.#isOver = true;
    this.#cancelTimeout();
  }

  #transmit(route: Route, process: Process, deliver: () => void): void {
    route.transmit({
      bytes: HANDSHAKE_BYTES,
      lane: 'control',
      order: this.#order,
      process,
      deliver: () => {
        if (!this.#isOver) deliver();
      },
    });
  }

  #atMachine(): void {
    const { machine, target } = this.#options;
    if (!machine.isPowered) return;
    const listener = machine.listeners.get(target.address.port);
    if (listener === undefined) {
      this.#transmit(this.#back, this.#self.process, () => this.#fail('connection refused'));
      return;
    }
    const { scheduler } = listener.process;
    scheduler.soon(listener.process, EventKind.dial, () => {
      this.#transmit(this.#back, this.#self.process, () => this.#onAnswer(listener));
    });
  }

  #onAnswer(listener: Endpoint): void {
    const refusal = this.#refusal(listener);
    if (refusal) this.#options.reject(refusal);
    else this.#transmit(this.#there, listener.process, () => this.#onConfirmed(listener));
  }

  /** Why we do not want to talk to whoever answered. */
  #refusal(listener: Endpoint): Error | undefined {
    const { target } = this.#options;
    const { peer } = target.address;
    if (peer !== undefined && peer !== listener.peerId) return new WrongPeerError(target.text);
    if (listener.peerId === this.#self.peerId) return unreachable(target, 'that is this node itself');
    if (listener.networkId === this.#self.networkId) return undefined;
    return new ProtocolUnsupportedError(listener.peerId, `network ${shortId(this.#self.networkId)}`);
  }

  #onConfirmed(listener: Endpoint): void {
    const self = this.#self;
    if (!self.process.isAlive || !self.isOpen || !listener.isOpen) return;
    const side = openSide(listener, self) ?? this.#context.establish(self, listener);
    self.process.scheduler.soon(self.process, EventKind.dial, () => {
      if (side.isOpen) this.#options.resolve(side);
      else this.#fail('the connection was lost at once');
    });
  }

  #fail(why: string): void {
    this.#options.reject(unreachable(this.#options.target, why));
  }
}

/** The dialler's side of a connection that both already have: the two may have dialled each other at once. */
function openSide(listener: Endpoint, dialer: Endpoint): ConnectionSide | undefined {
  const theirs = listener.sideTo(dialer.peerId);
  const own = dialer.sideTo(listener.peerId) ?? theirs?.other;
  const isWhole =
    own?.isOpen && own.other.isOpen && own.endpoint === dialer && own.other.endpoint === listener;
  return isWhole ? own : undefined;
}

function unreachable(target: DialTarget, why: string): PeerUnreachableError {
  return new PeerUnreachableError(nameOf(target.address.peer, target.text), [target.text], {
    cause: new Error(why),
  });
}

function nameOf(peer: PeerId | undefined, text: string): string {
  return peer === undefined ? text : shortId(peer);
}
