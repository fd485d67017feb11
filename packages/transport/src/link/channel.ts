/**
 * What a channel tells its owner. None of these is called from within a call of the owner, but for what may be told
 * at once: `data` within {@link Channel.resume}, `closed` within {@link Channel.abort}.
 */
export interface ChannelEvents {
  /**
   * Bytes arrived, in order; the owner may keep the chunk, nobody else writes to it.
   *
   * @returns true when the owner kept nothing of the chunk, so that its memory can be used again.
   */
  data(chunk: Uint8Array): boolean;
  /** There is room again after {@link Channel.write} returned false. */
  drain(): void;
  /** The other side will send no more (half close); what was sent before has all been given to `data`. */
  remoteEnd(): void;
  /** The channel is over, for both directions. Called once. */
  closed(end: ChannelEnd): void;
}

/** Why a channel is over, as far as bytes can tell. */
export type ChannelEnd =
  /** Both sides finished their direction. */
  { readonly kind: 'finished' } | { readonly kind: 'reset' | 'lost' | 'silent'; readonly reason: string };

/**
 * An ordered, reliable, bidirectional pipe of bytes between two peers: what a transport has to provide, and all that a
 * link needs. Both transports, libp2p's and the simulator's, are adapted to this.
 */
export interface Channel {
  /**
   * Sends the chunks, in order; they must not be changed afterwards.
   *
   * @returns false when the channel holds enough for now: what was given is kept, and `drain` says when to go on.
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Stops the flow of `data`; what is in flight is bounded by the channel's window. */
  pause(): void;
  resume(): void;
  /** Ends the own direction once everything written has left. */
  closeWrite(): void;
  /** Tears the channel down at once; the other side sees a reset. */
  abort(reason: string): void;
}

/** Makes a channel once its owner is known, so that no event is lost before the owner listens. */
export type ChannelFactory = (events: ChannelEvents) => Channel;
