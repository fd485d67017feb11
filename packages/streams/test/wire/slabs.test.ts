import { expect, it } from 'vitest';
import { returnSlab, SLAB_BYTES, takeSlab } from '../../src/wire/slabs.ts';

it('slabs that come back go out again, and who still has a view of one finds it empty', () => {
  const slab = takeSlab(SLAB_BYTES).fill(7);
  const view = slab.subarray(100, 200);
  returnSlab(slab);
  expect([slab.length, view.length]).toEqual([0, 0]);
  const again = takeSlab(SLAB_BYTES);
  expect([again.length, again[100]]).toEqual([SLAB_BYTES, 7]);
});

it('no more than a few are kept, and none of another size', () => {
  const slabs = Array.from({ length: 100 }, () => takeSlab(SLAB_BYTES).fill(7));
  const other = takeSlab(SLAB_BYTES / 4);
  for (const slab of [...slabs, other]) returnSlab(slab);
  const taken = Array.from({ length: 100 }, () => takeSlab(SLAB_BYTES));
  expect(taken.filter(([first]) => first === 7)).toHaveLength(16);
  expect(takeSlab(SLAB_BYTES / 4)[0]).toBe(0);
});
