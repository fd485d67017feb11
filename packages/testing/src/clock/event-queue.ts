import type { Process } from '../world/process.ts';
import type { EventKind } from './event-kind.ts';

/**
 * Something that will happen at a time of the world. It is the entry of the queue and the handle to cancel it in one,
 * so that a timer costs one object.
 */
export class SimEvent {
  readonly atMs: number;
  /** Orders events of the same time: first scheduled, first run. */
  readonly sequence: number;
  /** Whose event it is: it does not run when that process is dead, and waits while it is stalled. */
  readonly process: Process;
  readonly kind: EventKind;
  /** Undefined once it has run or was cancelled. */
  action: (() => void) | undefined;
  readonly #queue: EventQueue;

  constructor(queue: EventQueue, what: ScheduledEvent) {
    this.#queue = queue;
    this.atMs = what.atMs;
    this.sequence = what.sequence;
    this.process = what.process;
    this.kind = what.kind;
    this.action = what.action;
  }

  cancel(): void {
    if (this.action === undefined) return;
    this.action = undefined;
    this.#queue.noteCancelled();
  }
}

/** What an event is made of. */
export interface ScheduledEvent {
  readonly atMs: number;
  readonly sequence: number;
  readonly process: Process;
  readonly kind: EventKind;
  readonly action: () => void;
}

/** Below this, cancelled events are not worth a rebuild. */
const REBUILD_MIN = 1_024;

/** A binary heap of events, ordered by (time, sequence). Invariant: no two events compare equal, so order is total. */
export class EventQueue {
  #heap: SimEvent[] = [];
  #cancelled = 0;

  /** Entries, cancelled ones included. */
  get size(): number {
    return this.#heap.length;
  }

  push(event: SimEvent): void {
    this.#heap.push(event);
    this.#siftUp(this.#heap.length - 1, event);
  }

  /** Removes and returns the earliest event that was not cancelled. */
  pop(): SimEvent | undefined {
    while (this.#heap.length > 0) {
      const first = this.#removeFirst();
      if (first.action !== undefined) return first;
      this.#cancelled--;
    }
    return undefined;
  }

  /** An event in the heap was cancelled; when they are most of it, they are swept out. */
  noteCancelled(): void {
    this.#cancelled++;
    if (this.#cancelled < REBUILD_MIN || this.#cancelled * 2 < this.#heap.length) return;
    this.#heap = this.#heap.filter((event) => event.action !== undefined);
    this.#cancelled = 0;
    for (let index = (this.#heap.length >>> 1) - 1; index >= 0; index--) {
      this.#siftDown(index, this.#heap[index] as SimEvent);
    }
  }

  #removeFirst(): SimEvent {
    const first = this.#heap[0] as SimEvent;
    const last = this.#heap.pop() as SimEvent;
    if (this.#heap.length > 0) this.#siftDown(0, last);
    return first;
  }

  #siftUp(from: number, event: SimEvent): void {
    const heap = this.#heap;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >>> 1;
      const parent = heap[parentIndex] as SimEvent;
      if (isBefore(parent, event)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  #siftDown(from: number, event: SimEvent): void {
    const heap = this.#heap;
    const half = heap.length >>> 1;
    let index = from;
    while (index < half) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex] as SimEvent;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        childIndex++;
        child = right;
      }
      if (isBefore(event, child)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = event;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
