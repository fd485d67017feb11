const GOLDEN_GAMMA = 0x9e3779b9;

/**
 * Chance that is the same on all members: numbers in [0, 1) that follow from the place of a command in the log. SplitMix32
 * (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, with 32-bit constants), seeded by
 * the index of the entry, its term, and the place of the command in it.
 */
export function randomAt(index: number, term: number, place: number): () => number {
  let state = mix(index >>> 0) ^ mix(Math.floor(index / 2 ** 32) + 1);
  state = mix(state ^ Math.imul(term, GOLDEN_GAMMA)) ^ Math.imul(place + 1, 0x85ebca6b);
  return () => {
    state = (state + GOLDEN_GAMMA) | 0;
    return (mix(state) >>> 0) / 2 ** 32;
  };
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}
