import {
  type Backoff,
  createBackoff,
  DecodeError,
  type PeerId,
  type Scope,
  type StreamId,
  shortId,
  sleep,
  toError,
  withTimeout,
} from '@mosaik/primitives';
import { type Link, LinkEndedError } from '@mosaik/transport';
import { decodeLogs, encodeList, type LogOffer } from '../wire/messages.ts';
import { ANSWER_MS, type Reach, unanswered, withLink } from './asking.ts';
import { eitherSignal } from './either.ts';

/** How often a holder is asked what it has, unless something calls for it. */
const ASK_AGAIN_MS = 5_000;
const BACKOFF = { baseMs: 100, maxMs: 5_000 } as const;

/** Not asked yet, or no answer came; answered; or the holder does not let this node in. */
export type HolderState = 'unanswered' | 'answered' | 'refused';

export interface HolderOptions {
  readonly scope: Scope;
  readonly reach: Reach;
  readonly peer: PeerId;
  readonly stream: StreamId;
  readonly sinceMs: number | undefined;
  readonly onChange: () => void;
}

/** One node that keeps logs of a stream, and what it says that it has. */
export class Holder {
  readonly peer: PeerId;
  readonly #options: HolderOptions;
  readonly #backoff: Backoff;
  #state: HolderState = 'unanswered';
  #offers: readonly LogOffer[] = [];
  #error: Error | undefined;
  #wake = new AbortController();
  /** What was asked for last, and what was answered, or failed to be, last. */
  #wanted = 0;
  #done = 0;

  constructor(options: HolderOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.#backoff = createBackoff(options.scope.runtime, BACKOFF);
    options.scope.spawn('ask', (signal) => this.#run(signal));
  }

  get state(): HolderState {
    return this.#state;
  }

  /** Attempts that failed since it answered last. */
  get failures(): number {
    return this.#backoff.attempts;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  /** What it has; nothing while it does not answer. */
  get offers(): readonly LogOffer[] {
    return this.#offers;
  }

  /** The number of the last question that was answered, or came to nothing. */
  get done(): number {
    return this.#done;
  }

  /** Asks now; returns the number of the question. */
  poke(): number {
    this.#wanted++;
    this.#wake.abort();
    return this.#wanted;
  }

  async close(): Promise<void> {
    await this.#options.scope.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await withLink(this.#options.reach, { peer: this.peer, signal }, (link) => this.#talk(link, signal));
      } catch (thrown) {
        if (signal.aborted) return;
        this.#failed(toError(thrown));
      }
      await this.#pause(this.#backoff.next(), signal);
    }
  }

  async #talk(link: Link<Uint8Array>, signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    void link.ended.then(() => ended.abort());
    while (!signal.aborted && link.end === undefined) {
      const token = this.#wanted;
      this.#offers = await this.#ask(link, signal);
      this.#state = 'answered';
      this.#error = undefined;
      this.#backoff.reset();
      this.#conclude(token);
      using either = eitherSignal(signal, ended.signal);
      await this.#pause(ASK_AGAIN_MS, either.signal, token);
    }
    // It has gone since it answered: what it said holds no more.
    if (link.end !== undefined) throw new LinkEndedError(link.end);
  }

  async #ask(link: Link<Uint8Array>, signal: AbortSignal): Promise<readonly LogOffer[]> {
    const { reach, stream, sinceMs } = this.#options;
    const limits = { what: `what ${shortId(this.peer)} keeps`, timeoutMs: ANSWER_MS, signal };
    const answer = await withTimeout(reach.runtime, limits, async (limit) => {
      await link.sendEncoded(encodeList({ stream, entry: reach.signedMe(), sinceMs }), { signal: limit });
      return await link.receive({ signal: limit });
    });
    if (answer === undefined) throw unanswered(link);
    const offers = decodeLogs(answer);
    const isForeign = offers.some(({ isOwn, producer }) => isOwn && producer !== this.peer);
    if (isForeign) throw new DecodeError('malformed', 'a holder writes to the log of another producer');
    return offers;
  }

  #failed(error: Error): void {
    const end = error instanceof LinkEndedError ? error.end : undefined;
    const isRefused = end?.kind === 'closed' && end.by === 'remote' && end.code >= 40_000;
    this.#offers = [];
    this.#state = isRefused ? 'refused' : 'unanswered';
    this.#error = error;
    this.#conclude(this.#wanted);
  }

  #conclude(token: number): void {
    this.#done = token;
    this.#options.onChange();
  }

  /** Waits, unless something was asked for since `token`. */
  async #pause(durationMs: number, signal: AbortSignal, token: number = this.#wanted): Promise<void> {
    this.#wake = new AbortController();
    if (this.#wanted > token) return;
    using either = eitherSignal(signal, this.#wake.signal);
    await sleep(this.#options.scope.runtime, durationMs, either).catch(() => {});
  }
}
