import { type Network, type PeerId, type Producer, shortId } from 'mosaik';
import type { Timer } from 'mosaik/primitives';
import type { Console } from '../output/console.ts';
import { bytesText, countText, plural, rateText } from '../output/format.ts';

const DRAW_EVERY_MS = 250;
/** A wait that is over sooner is nothing to tell of. */
const TELL_AFTER_MS = 1_000;
const CLEAR_LINE = '\r\u001b[K';

/** Shows on a terminal how far it is, and says everywhere what it waits for. */
export class Progress implements Disposable {
  readonly #producer: Producer<unknown>;
  readonly #console: Console;
  readonly #network: Network;
  readonly #startedAtMs: number;
  #offlineSinceMs: number | undefined;
  #told: string | undefined;
  #dropped = 0;
  /** Subscriptions that ended before the last line: what they missed they see as a gap, if they come back. */
  left = 0;
  readonly #uptimes = new Map<PeerId, number>();
  #isDrawn = false;
  #timer: Timer | undefined;

  constructor(network: Network, producer: Producer<unknown>, console: Console) {
    this.#network = network;
    this.#producer = producer;
    this.#console = console;
    this.#startedAtMs = network.runtime.now();
    this.#tick();
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#clear();
  }

  #tick(): void {
    this.#tellOfDropped();
    this.#tellOfLeft();
    this.#tellOfWaiting();
    if (this.#console.stderr.isTTY === true) this.#draw();
    this.#timer = this.#network.runtime.setTimer(DRAW_EVERY_MS, () => this.#tick());
  }

  #tellOfDropped(): void {
    const { droppedTooSlow } = this.#producer.stats;
    if (droppedTooSlow === this.#dropped) return;
    this.#dropped = droppedTooSlow;
    this.#clear();
    this.#console.warn(
      `a consumer was dropped, as it was too slow (${droppedTooSlow} so far); it sees the gap`,
    );
  }

  #tellOfLeft(): void {
    const live = new Map(this.#producer.consumers.map(({ peer, stats }) => [peer.peer, stats.uptimeMs]));
    for (const [peer, before] of this.#uptimes) {
      // One that is younger than at the last look is another subscription of the same consumer.
      if ((live.get(peer) ?? 0) >= before) continue;
      this.left++;
      this.#clear();
      this.#console.note(
        `consumer ${shortId(peer)} has gone; if it comes back, it sees what it missed as a gap`,
      );
    }
    this.#uptimes.clear();
    for (const [peer, uptimeMs] of live) this.#uptimes.set(peer, uptimeMs);
  }

  #tellOfWaiting(): void {
    const { isOnline, text } = this.#producer.why();
    const now = this.#network.runtime.now();
    if (isOnline) {
      this.#offlineSinceMs = undefined;
      this.#told = undefined;
      return;
    }
    this.#offlineSinceMs ??= now;
    if (now - this.#offlineSinceMs < TELL_AFTER_MS || this.#told === text) return;
    this.#told = text;
    this.#clear();
    this.#console.note(`waiting, ${text}`);
  }

  #draw(): void {
    const { datums, bytes } = this.#producer.stats;
    const seconds = Math.max(0.001, (this.#network.runtime.now() - this.#startedAtMs) / 1000);
    const to = plural(this.#producer.consumers.length, 'consumer');
    this.#isDrawn = true;
    this.#console.stderr.write(
      `${CLEAR_LINE}${countText(datums)} sent, ${bytesText(bytes)}, ${rateText(datums / seconds)} to ${to}`,
    );
  }

  #clear(): void {
    if (this.#isDrawn) this.#console.stderr.write(CLEAR_LINE);
    this.#isDrawn = false;
  }
}
