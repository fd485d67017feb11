/** Everything of `@mosaik/store`. */
export * from '@mosaik/store';
