import { MosaikError } from '@mosaik/primitives';
import type { RefusalReason } from './catalog/rules.ts';

/** An entry that was fed, or dialled for, and is not taken; `reason` says why. */
export class EntryRefusedError extends MosaikError {
  override readonly name = 'EntryRefusedError';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, detail?: string) {
    super('ERR_ENTRY_REFUSED', `the entry was refused: ${reason}${detail ? ` (${detail})` : ''}`);
    this.reason = reason;
  }
}
