/** Where tests end the process in the middle of a write. */
export const POINTS = [
  'begun',
  'written',
  'committed',
  'marked',
  'created',
  'checkpointed',
  'swept',
] as const;

export type Point = (typeof POINTS)[number];
