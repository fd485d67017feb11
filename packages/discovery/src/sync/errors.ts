import { MosaikError, type PeerId, shortId } from '@mosaik/primitives';

/** A sync was given up because of what the other side did, or did not do; the link was closed with `closeCode`. */
export class SyncRefusedError extends MosaikError {
  override readonly name = 'SyncRefusedError';
  readonly peer: PeerId;
  /** One of `DiscoveryCode`. */
  readonly closeCode: number;
  /** What the other side is told. */
  readonly reason: string;

  constructor(peer: PeerId, refusal: { code: number; reason: string }, options?: ErrorOptions) {
    super('ERR_SYNC_REFUSED', `sync with ${shortId(peer)}: ${refusal.reason} (${refusal.code})`, options);
    this.peer = peer;
    this.closeCode = refusal.code;
    this.reason = refusal.reason;
  }
}
