/** Everything of `@mosaik/transport`. */
export * from '@mosaik/transport';
