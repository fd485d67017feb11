import type { Runtime } from '@mosaik/primitives';
import type { Entry, LogIndex, MemberId } from '../raft/types.ts';
import type { GroupMessage, HeldRange, SnapshotOffer } from '../wire/messages.ts';
import { Asks } from './asks.ts';
import type { Source } from './source.ts';

/** Whoever does not say by then what it holds is not asked for anything. */
const SURVEY_TIMEOUT_MS = 5_000;

export type Answer = Extract<GroupMessage, { kind: 'range' | 'entries' | 'manifest' | 'chunk' }>;

/** Consecutive entries, from one index to another (inclusive). */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

interface InquiriesOptions {
  readonly runtime: Runtime;
  readonly send: (to: MemberId, message: GroupMessage) => boolean;
}

/** What a member that lags asks others. Nothing here fails: undefined stands for an answer that did not come in time. */
export class Inquiries {
  readonly #options: InquiriesOptions;
  readonly #asks: Asks<Answer>;

  constructor(options: InquiriesOptions) {
    this.#options = options;
    this.#asks = new Asks(options.runtime);
  }

  answered(answer: Answer): void {
    this.#asks.answered(answer.id, answer);
  }

  close(): void {
    this.#asks.cancel();
  }

  async range(to: MemberId): Promise<HeldRange | undefined> {
    const answer = await this.#survey(to, 'range', (id) => ({ kind: 'rangeAsk', id }));
    return answer?.kind === 'range' ? answer.held : undefined;
  }

  async manifest(to: MemberId): Promise<SnapshotOffer | undefined> {
    const answer = await this.#survey(to, 'manifest', (id) => ({ kind: 'manifestAsk', id }));
    return answer?.kind === 'manifest' ? answer.offer : undefined;
  }

  /** Entries from the first of a slice on; none where they are gone. `late` is given them when they come later. */
  async entries(
    { id: to, pace: { patienceMs: timeoutMs } }: Source,
    slice: Slice,
    late: (entries: readonly Entry[], afterMs: number) => void,
  ): Promise<readonly Entry[] | undefined> {
    const [from, last] = [slice.from as LogIndex, slice.to as LogIndex];
    const read = (answer: Answer): readonly Entry[] =>
      answer.kind === 'entries' && answer.from === from ? answer.entries.slice(0, last - from + 1) : [];
    const answer = await this.#asks
      .ask({ what: 'entries', timeoutMs, late: (answer, afterMs) => late(read(answer), afterMs) }, (id) =>
        this.#options.send(to, { kind: 'entriesAsk', id, from, to: last }),
      )
      .catch(() => undefined);
    return answer && read(answer);
  }

  /** A chunk of the snapshot at an index; empty where that is gone. `late` is given it when it comes later. */
  async chunk(
    { id: to, pace: { patienceMs: timeoutMs } }: Source,
    { index, position }: { readonly index: LogIndex; readonly position: number },
    late: (chunk: Uint8Array, afterMs: number) => void,
  ): Promise<Uint8Array | undefined> {
    const read = (answer: Answer): Uint8Array => (answer.kind === 'chunk' ? answer.chunk : new Uint8Array(0));
    const answer = await this.#asks
      .ask({ what: 'chunk', timeoutMs, late: (answer, afterMs) => late(read(answer), afterMs) }, (id) =>
        this.#options.send(to, { kind: 'chunkAsk', id, index, position }),
      )
      .catch(() => undefined);
    return answer && read(answer);
  }

  #survey(to: MemberId, what: string, question: (id: number) => GroupMessage): Promise<Answer | undefined> {
    return this.#asks
      .ask({ what, timeoutMs: SURVEY_TIMEOUT_MS }, (id) => this.#options.send(to, question(id)))
      .catch(() => undefined);
  }
}
