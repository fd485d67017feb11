import { EventKind } from '../clock/event-kind.ts';
import type { Scheduler } from '../clock/scheduler.ts';
import type { Random } from '../random/sfc32.ts';
import type { Process } from '../world/process.ts';
import type { Path } from './path.ts';

/** `control` does not wait behind `bulk`; `both` comes after everything of either. */
export type Lane = 'control' | 'bulk' | 'both';

/** When the last packet of each lane arrives; what is sent later on the same connection does not arrive before. */
export interface ArrivalOrder {
  controlMs: number;
  bulkMs: number;
}

/** Something on its way. */
export interface Packet {
  readonly bytes: number;
  readonly lane: Lane;
  readonly order: ArrivalOrder;
  /** Who it is for: it waits while that process is stalled, and is lost when it is dead. */
  readonly process: Process;
  readonly deliver: () => void;
}

/** Ethernet, IP and TCP headers, acknowledgement included: what a packet costs besides its content. */
const OVERHEAD_BYTES = 80;

/** What went over all routes. */
export interface RouteStats {
  packets: number;
  bytes: number;
}

/** The way from one host to another, with what is on it and what is held back. */
export class Route {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #stats: RouteStats;
  #path: Path;
  #held: Packet[] = [];
  /** When the line is free again. */
  #controlFreeMs = 0;
  #bulkFreeMs = 0;

  constructor(options: { scheduler: Scheduler; random: Random; path: Path; stats: RouteStats }) {
    this.#scheduler = options.scheduler;
    this.#random = options.random;
    this.#path = options.path;
    this.#stats = options.stats;
  }

  get path(): Path {
    return this.#path;
  }

  /** Packets that wait for the way to open. */
  get heldPackets(): number {
    return this.#held.length;
  }

  /** Changes what the way is like from now on; opened, it lets through what it held, in order. */
  change(path: Path): void {
    this.#path = path;
    if (path.blocked) return;
    const held = this.#held;
    this.#held = [];
    for (const packet of held) this.#depart(packet);
  }

  /** Forgets what is held back: the machine that would send it again has lost power. */
  dropHeld(): void {
    this.#held = [];
  }

  transmit(packet: Packet): void {
    if (this.#path.blocked) this.#held.push(packet);
    else this.#depart(packet);
  }

  #depart(packet: Packet): void {
    this.#stats.packets++;
    this.#stats.bytes += packet.bytes;
    const { latencyMs, jitterMs } = this.#path;
    const onWireMs = this.#occupyLine(packet);
    const extraMs = jitterMs > 0 ? jitterMs * this.#random.next() : 0;
    const dueMs = onWireMs + latencyMs + extraMs + this.#unluckyMs();
    const arrivalMs = keepOrder(packet, dueMs);
    this.#scheduler.at(arrivalMs, packet.process, EventKind.packet, packet.deliver);
  }

  /** When the last byte has left. Control waits for control only; bulk waits for both. */
  #occupyLine({ bytes, lane }: Packet): number {
    const { nowMs } = this.#scheduler;
    const takesMs = ((bytes + OVERHEAD_BYTES) * 1000) / this.#path.bytesPerSecond;
    const isUrgent = lane === 'control';
    const startMs = Math.max(nowMs, isUrgent ? this.#controlFreeMs : this.#bulkFreeMs);
    if (isUrgent) {
      this.#controlFreeMs = startMs + takesMs;
      this.#bulkFreeMs = Math.max(nowMs, this.#bulkFreeMs) + takesMs;
    } else {
      this.#bulkFreeMs = startMs + takesMs;
    }
    return startMs + takesMs;
  }

  #unluckyMs(): number {
    let sumMs = 0;
    for (const { share, byMs } of this.#path.delays) {
      if (this.#random.next() < share) sumMs += byMs;
    }
    return sumMs;
  }
}

/** The time a packet arrives when it may not overtake those before it. */
function keepOrder({ lane, order }: Packet, dueMs: number): number {
  let arrivalMs = dueMs;
  if (lane !== 'bulk') arrivalMs = Math.max(arrivalMs, order.controlMs);
  if (lane !== 'control') arrivalMs = Math.max(arrivalMs, order.bulkMs);
  if (lane !== 'bulk') order.controlMs = arrivalMs;
  if (lane !== 'control') order.bulkMs = arrivalMs;
  return arrivalMs;
}
