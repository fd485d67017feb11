import { type GroupId, invariant, type PeerId, type Runtime } from '@mosaik/primitives';
import type { Direction } from '@mosaik/transport';
import { GroupCode } from '../codes.ts';
import type { Bond, BondEnd, BondedGroup } from './bond.ts';
import type { Carrier } from './carrier.ts';

/** What a session needs of its carrier. */
export interface SessionHost {
  readonly carrier: Carrier;
  readonly runtime: Runtime;
  readonly onBonded: () => void;
  readonly send: (frame: Uint8Array) => boolean;
  readonly sendBulk: (frame: Uint8Array) => boolean;
}

/** One group on a carrier: from the first proof, of either side, until it is left or refused. */
export class Session {
  readonly group: BondedGroup;
  /** This side has sent its proof. */
  isOffered = false;
  /** What the other side calls the group; known once it has proven to have the key. */
  theirChannel: number | undefined;
  readonly #host: SessionHost;
  #status: Uint8Array = new Uint8Array(0);
  #bond: LiveBond | undefined;
  #isOver = false;

  constructor(group: BondedGroup, host: SessionHost) {
    this.group = group;
    this.#host = host;
  }

  get bond(): Bond | undefined {
    return this.#bond;
  }

  /** What the other member told of itself last. */
  get status(): Uint8Array {
    return this.#status;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Makes the bond, if all is there that it takes. */
  establish(): void {
    const isProven = this.isOffered && this.theirChannel !== undefined;
    if (!isProven || this.#bond !== undefined || this.#isOver) return;
    if (this.#host.carrier.lane === undefined) return;
    this.#bond = new LiveBond(this, this.#host);
    this.#host.onBonded();
    this.group.onBonded(this.#bond);
  }

  told(status: Uint8Array): void {
    this.#status = status;
    if (this.#bond !== undefined && !this.#isOver) this.group.onStatus(this.#bond);
  }

  /** A message without a bond is not for the group: it was on its way when the bond ended. */
  receive(payload: Uint8Array): void {
    if (this.#bond !== undefined && !this.#isOver) this.group.onMessage(this.#bond, payload);
  }

  end(end: BondEnd): void {
    invariant(!this.#isOver, 'a session of a bond ends twice');
    this.#isOver = true;
    if (this.#bond !== undefined) this.group.onEnded(this.#bond, end);
  }
}

class LiveBond implements Bond {
  readonly bondedAtMs: number;
  readonly #session: Session;
  readonly #host: SessionHost;

  constructor(session: Session, host: SessionHost) {
    this.#session = session;
    this.#host = host;
    this.bondedAtMs = host.runtime.now();
  }

  get peer(): PeerId {
    return this.#host.carrier.peer;
  }

  get group(): GroupId {
    return this.#session.group.id;
  }

  get direction(): Direction {
    return this.#host.carrier.link.direction;
  }

  get status(): Uint8Array {
    return this.#session.status;
  }

  get isAlive(): boolean {
    return !this.#session.isOver;
  }

  get silentMs(): number {
    return this.#host.carrier.silentMs;
  }

  get unsentBulkBytes(): number {
    return this.#host.carrier.lane?.stats.unsentBytes ?? 0;
  }

  send(frame: Uint8Array): boolean {
    return this.isAlive && this.#host.send(frame);
  }

  sendBulk(frame: Uint8Array): boolean {
    return this.isAlive && this.#host.sendBulk(frame);
  }

  end(code: number, reason: string): void {
    if (this.isAlive) this.#host.carrier.refuse(this.group, code === 0 ? GroupCode.NotAllowed : code, reason);
  }
}
