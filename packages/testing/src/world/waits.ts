import { TimeoutError, toError, type WaitOptions, waitFor } from '@mosaik/primitives';
import { EventKind } from '../clock/event-kind.ts';
import type { Process } from './process.ts';

/** How to wait for a condition. */
export interface UntilOptions extends WaitOptions {
  /** Virtual milliseconds after which the wait fails. Default one minute. */
  readonly withinMs?: number;
  /** What is waited for, for the message when it does not come. Default: the source of the predicate. */
  readonly what?: string;
  /**
   * Virtual milliseconds between two checks. Default: checked after every event, which sees every state; give a period
   * when the check is costly and the world large.
   */
  readonly everyMs?: number;
}

const DEFAULT_WITHIN_MS = 60_000;

interface Waiting {
  readonly what: string;
  readonly check: () => boolean;
}

/** The conditions that the test waits for; those without a period are checked after every event. */
export class Waits {
  readonly #process: Process;
  readonly #all = new Set<string>();
  readonly #eager = new Set<Waiting>();

  constructor(process: Process) {
    this.#process = process;
  }

  /** What is waited for now. */
  get descriptions(): readonly string[] {
    return [...this.#all];
  }

  until(predicate: () => boolean, options: UntilOptions): Promise<void> {
    const { withinMs = DEFAULT_WITHIN_MS, what = String(predicate), signal, everyMs } = options;
    const { runtime } = this.#process;
    return waitFor<void>(what, signal, (resolve, reject) => {
      this.#all.add(what);
      const check = (): boolean => isMet(predicate, resolve, reject);
      const timer = runtime.setTimer(withinMs, () => {
        if (!check()) reject(new TimeoutError(what, withinMs));
      });
      const stop =
        everyMs === undefined ? this.#checkAlways({ what, check }) : this.#checkEvery(everyMs, check);
      return () => {
        this.#all.delete(what);
        timer.cancel();
        stop();
      };
    });
  }

  /** Checks what is checked after every event; true when somebody's wait is over. */
  check(): boolean {
    if (this.#eager.size === 0) return false;
    let isAnyOver = false;
    for (const waiting of [...this.#eager]) isAnyOver = waiting.check() || isAnyOver;
    return isAnyOver;
  }

  #checkAlways(waiting: Waiting): () => void {
    this.#eager.add(waiting);
    return () => void this.#eager.delete(waiting);
  }

  #checkEvery(periodMs: number, check: () => boolean): () => void {
    const { scheduler } = this.#process;
    let event = scheduler.soon(this.#process, EventKind.timer, tick);
    function tick(this: void): void {
      if (!check()) event = scheduler.at(scheduler.nowMs + periodMs, event.process, EventKind.timer, tick);
    }
    return () => event.cancel();
  }
}

/** Settles a wait when its condition is met or cannot be checked; true when it did. */
function isMet(predicate: () => boolean, resolve: () => void, reject: (error: Error) => void): boolean {
  try {
    if (!predicate()) return false;
    resolve();
  } catch (thrown) {
    reject(toError(thrown));
  }
  return true;
}
