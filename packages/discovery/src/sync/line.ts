import {
  AbortedError,
  type PeerId,
  type Runtime,
  TimeoutError,
  type WaitOptions,
  withTimeout,
} from '@mosaik/primitives';
import { CloseCode, type Link, LinkEndedError } from '@mosaik/transport';
import { DiscoveryCode } from '../codes.ts';
import { SyncRefusedError } from './errors.ts';
import { SESSION_TIMEOUT_MS, STEP_TIMEOUT_MS } from './limits.ts';
import type { SyncMessage } from './message.ts';

/** How patient a session is. */
export interface LineOptions extends WaitOptions {
  readonly runtime: Runtime;
  /** How long the other side may take to send, or to accept, one message. Default 5 s; then code 20408. */
  readonly stepTimeoutMs?: number | undefined;
  /** How long the session may take as a whole. Default 60 s; then code 20408. */
  readonly sessionTimeoutMs?: number | undefined;
}

/** A link on which nothing takes longer than it may, and which is closed in the right way whatever fails. */
export class Line {
  readonly peer: PeerId;
  readonly #link: Link<SyncMessage>;
  readonly #options: LineOptions;
  readonly #stepTimeoutMs: number;
  readonly #endsAtMs: number;

  private constructor(link: Link<SyncMessage>, options: LineOptions) {
    const { runtime, stepTimeoutMs = STEP_TIMEOUT_MS, sessionTimeoutMs = SESSION_TIMEOUT_MS } = options;
    this.peer = link.peer;
    this.#link = link;
    this.#options = options;
    this.#stepTimeoutMs = stepTimeoutMs;
    this.#endsAtMs = runtime.now() + sessionTimeoutMs;
  }

  /** Runs a conversation; when it fails, the link is closed with what the failure says. */
  static async hold<T>(
    link: Link<SyncMessage>,
    options: LineOptions,
    talk: (line: Line) => Promise<T>,
  ): Promise<T> {
    try {
      return await talk(new Line(link, options));
    } catch (error) {
      if (error instanceof SyncRefusedError) await link.close(error.closeCode, error.reason);
      else if (error instanceof AbortedError) link.abort('sync aborted');
      else if (!(error instanceof LinkEndedError)) await link.close(CloseCode.InternalError);
      throw error;
    }
  }

  get bytesOut(): number {
    return this.#link.stats.sentBytes;
  }

  get bytesIn(): number {
    return this.#link.stats.receivedBytes;
  }

  send(message: SyncMessage): Promise<void> {
    return this.#limited('a message to leave', (signal) => this.#link.send(message, { signal }));
  }

  /** The next message, or `undefined` when the other side has closed cleanly. */
  receive(): Promise<SyncMessage | undefined> {
    return this.#limited('the next message', (signal) => this.#link.receive({ signal }));
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** To be thrown: makes the link close with this code. */
  refusal(code: number, reason: string, options?: ErrorOptions): SyncRefusedError {
    return new SyncRefusedError(this.peer, { code, reason }, options);
  }

  /** To be thrown when the other side has closed before its time. */
  endedEarly(): Error {
    const { end } = this.#link;
    if (end !== undefined) return new LinkEndedError(end);
    return this.refusal(DiscoveryCode.Unasked, 'it ended before its time');
  }

  async #limited<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { runtime, signal } = this.#options;
    const timeoutMs = Math.max(0, Math.min(this.#stepTimeoutMs, this.#endsAtMs - runtime.now()));
    try {
      return await withTimeout(runtime, { what: `waiting for ${what}`, timeoutMs, signal }, work);
    } catch (cause) {
      if (!(cause instanceof TimeoutError)) throw cause;
      throw this.refusal(DiscoveryCode.StepTimeout, `${what} took too long`, { cause });
    }
  }
}
