/** Everything of `@mosaik/discovery`. */
export * from '@mosaik/discovery';
