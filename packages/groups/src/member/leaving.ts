import type { Runtime, Timer } from '@mosaik/primitives';
import { encodeRecord, NONCE_BYTES, nonceText } from '../machine/commands.ts';
import type { Member } from './member.ts';

/** A farewell that may have been lost is said again this often. */
const REPEAT_MS = 100;

interface FarewellOptions {
  readonly runtime: Runtime;
  /** Hands a record to who leads now. */
  readonly offer: (record: Uint8Array) => boolean;
  readonly onHeard: () => void;
}

/**
 * The last entry of a member that leaves, said after it has told everybody that it leaves. Once it is applied here, whatever
 * a leader had begun before, such as making this member a voter, is known here, too; and nobody begins it any more.
 * Without it a member could go while a configuration that needs its vote is under way, and the group could never commit.
 * The entry opens a session, which is closed at once: it needs no kind of its own.
 */
export class Farewell {
  readonly #options: FarewellOptions;
  readonly #nonce: Uint8Array;
  #timer: Timer | undefined;
  #isHeard = false;

  constructor(options: FarewellOptions) {
    this.#options = options;
    this.#nonce = options.runtime.randomBytes(NONCE_BYTES);
    this.#say();
  }

  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** A session was opened, by somebody. */
  opened(nonce: string, session: number): void {
    if (nonceText(this.#nonce) !== nonce) return;
    this.#options.offer(encodeRecord({ kind: 'close', session }));
    if (this.#isHeard) return;
    this.#isHeard = true;
    this.stop();
    this.#options.onHeard();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #say(): void {
    this.#options.offer(encodeRecord({ kind: 'open', nonce: this.#nonce }));
    this.#timer = this.#options.runtime.setTimer(REPEAT_MS, () => this.#say());
  }
}

/** Waits until a member that leaves has been taken out by the others; not longer than they are given, nor than `hurry` lets. */
export async function untilOut(member: Member, farewell: Farewell, hurry: AbortSignal): Promise<void> {
  const { changes, runtime, settings } = member;
  const hasBegun = changes.condition('heard by the group', () => farewell.isHeard);
  const isOutNow = changes.condition('out of the group', () => isOut(member, farewell));
  const limit = new AbortController();
  const timer = runtime.setTimer(settings.leaveTimeoutMs, () => limit.abort());
  const signal = AbortSignal.any([limit.signal, hurry]);
  // A leader gives way at once: until it looks by itself takes a tenth of a second.
  void hasBegun.wait({ signal }).then(
    () => member.life?.works?.manager.review(),
    () => {},
  );
  await isOutNow.wait({ signal }).catch(() => {});
  timer.cancel();
  farewell.stop();
}

/** It neither leads nor votes, nor is about to; or there is nobody who could see to that. */
function isOut({ state, life, peers, leader }: Member, farewell: Farewell): boolean {
  if (state !== 'leaving' || life?.works === undefined || peers.size === 0) return true;
  const { configuration, isCommitted } = life.works.replica.status.configuration;
  const isKnown = farewell.isHeard || leader === undefined;
  return isKnown && isCommitted && !life.isLeader && !configuration.voters.includes(life.member);
}
