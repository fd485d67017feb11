/** Everything of `@mosaik/primitives`. */
export * from '@mosaik/primitives';
