import { describe, expect, it } from 'vitest';
import { guides } from './support/guide.ts';
import { runExample } from './support/readme.ts';

const DEADLINE_MS = 30_000;

describe('the code of a guide', () => {
  it('is there', () => {
    expect(guides().map((guide) => guide.package)).toContain('streams');
  });

  it.each(guides())(
    'on $package runs from top to bottom, and prints what it says',
    async (guide) => {
      const { code, stdout, stderr } = await runExample(guide, DEADLINE_MS);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toBe(guide.prints);
    },
    DEADLINE_MS,
  );
});
