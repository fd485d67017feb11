import type { Process } from '../world/process.ts';
import type { Trace } from '../world/trace.ts';
import type { EventKind } from './event-kind.ts';
import { EventQueue, SimEvent } from './event-queue.ts';

/** The world's clock: time stands still while an event runs and jumps to the next one when it is over. */
export class Scheduler {
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #sequence = 0;
  #dispatched = 0;

  constructor(trace: Trace) {
    this.trace = trace;
  }

  /** True time in milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have run so far. */
  get dispatched(): number {
    return this.#dispatched;
  }

  /** Events that wait, cancelled ones included. */
  get size(): number {
    return this.#queue.size;
  }

  /** Schedules `action` of `process` at a time that is not in the past. */
  at(atMs: number, process: Process, kind: EventKind, action: () => void): SimEvent {
    const sequence = this.#sequence++;
    const event = new SimEvent(this.#queue, {
      atMs: Math.max(atMs, this.#nowMs),
      sequence,
      process,
      kind,
      action,
    });
    this.#queue.push(event);
    return event;
  }

  /** Schedules `action` of `process` for right after what is ready now. */
  soon(process: Process, kind: EventKind, action: () => void): SimEvent {
    return this.at(this.#nowMs, process, kind, action);
  }

  /** Jumps to the next event and runs it; false when there is none. */
  step(): boolean {
    for (let event = this.#queue.pop(); event !== undefined; event = this.#queue.pop()) {
      this.#nowMs = event.atMs;
      if (!event.process.isAlive) continue;
      if (event.process.isHeldUp) {
        event.process.holdUp(event);
        continue;
      }
      this.run(event);
      return true;
    }
    return false;
  }

  /** Runs an event that is due. */
  run(event: SimEvent): void {
    const { action } = event;
    if (action === undefined || !event.process.isAlive) return;
    event.action = undefined;
    this.#dispatched++;
    this.trace.event(this.#nowMs, event.process, event.kind);
    action();
  }
}
