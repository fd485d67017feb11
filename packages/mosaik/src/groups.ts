/** Everything of `@mosaik/groups`. */
export * from '@mosaik/groups';
