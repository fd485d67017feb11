/**
 * `@mosaik/transport/link`: links over any ordered, reliable pipe of bytes. For those who adapt another transport: give
 * {@link createLink} a {@link Channel} and get framing, coalescing, backpressure and close codes.
 */
export type { Channel, ChannelEnd, ChannelEvents, ChannelFactory } from './channel.ts';
export { type CreateLinkOptions, createLink } from './create-link.ts';
export { FRAME_BYTES } from './outbox.ts';
