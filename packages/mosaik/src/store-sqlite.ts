/** Everything of `@mosaik/store/sqlite`. */
export * from '@mosaik/store/sqlite';
