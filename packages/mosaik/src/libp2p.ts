/** Everything of `@mosaik/transport/libp2p`. */
export * from '@mosaik/transport/libp2p';
