import type { Discovery } from '@mosaik/discovery';
import { EntryRefusedError } from '@mosaik/discovery';
import { createLog, type Scope, shortId } from '@mosaik/primitives';
import { GroupCode } from '../codes.ts';
import type { Carrier } from './carrier.ts';

const log = createLog('groups:bonds');

/** An entry that is checked, and the newest that came meanwhile: what is older is not worth a check. */
interface Check {
  next: Uint8Array | undefined;
}

/**
 * The signed entries of discovery that bonded nodes give each other, so that what a member is, and whether it may stay one, does
 * not hang on gossip.
 */
export class Entries {
  readonly #scope: Scope;
  readonly #discovery: Discovery;
  readonly #checks = new Map<Carrier, Check>();
  #told: Uint8Array | undefined;

  constructor(scope: Scope, discovery: Discovery) {
    this.#scope = scope;
    this.#discovery = discovery;
  }

  /** What this node says of itself, signed. */
  get own(): Uint8Array {
    return this.#discovery.signedMe;
  }

  /** Tells the peers, if this node says something else of itself than when this was called last. */
  tellIfChanged(carriers: Iterable<Carrier>): void {
    const { own } = this;
    if (own === this.#told) return;
    this.#told = own;
    for (const carrier of carriers) carrier.tellEntry();
  }

  /** Hands what a peer says of itself to discovery, which checks it as any other entry. */
  take(carrier: Carrier, signed: Uint8Array): void {
    const running = this.#checks.get(carrier);
    if (running !== undefined) {
      running.next = signed;
      return;
    }
    const check: Check = { next: signed };
    this.#checks.set(carrier, check);
    this.#scope.spawn('entry', () => this.#run(carrier, check));
  }

  async #run(carrier: Carrier, check: Check): Promise<void> {
    try {
      while (check.next !== undefined && !carrier.isEnded) {
        const signed = check.next;
        check.next = undefined;
        await this.#feed(carrier, signed);
      }
    } finally {
      this.#checks.delete(carrier);
    }
  }

  async #feed(carrier: Carrier, signed: Uint8Array): Promise<void> {
    try {
      await this.#discovery.feed(signed);
    } catch (thrown) {
      if (!(thrown instanceof EntryRefusedError)) throw thrown;
      // Mostly it is known already: gossip was quicker.
      log('an entry from %s: %s', shortId(carrier.peer), thrown.reason);
      if (thrown.reason === 'malformed' || thrown.reason === 'forged')
        carrier.fail(GroupCode.Malformed, `an entry that is ${thrown.reason}`);
    }
  }
}
