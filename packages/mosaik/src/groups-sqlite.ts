/** Everything of `@mosaik/groups/sqlite`. */
export * from '@mosaik/groups/sqlite';
