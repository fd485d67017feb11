/** Everything of `@mosaik/streams`. */
export * from '@mosaik/streams';
