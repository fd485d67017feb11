import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LONGEST, longestFirst } from '../sequencer.ts';

describe('the order of test files', () => {
  it('begins with the longest, and leaves the others as they are', () => {
    const files = [
      '/r/packages/b.test.ts',
      `/r/packages/${LONGEST[1]}`,
      '/r/a.test.ts',
      `C:\\r\\${LONGEST[0]}`,
    ];
    const sorted = longestFirst(files, (file) => file);
    expect(sorted).toEqual([files[3], files[1], files[0], files[2]]);
  });

  it.each(LONGEST)('knows %s, which is there', (path) => {
    expect(existsSync(new URL(`../../../packages/${path}`, import.meta.url))).toBe(true);
  });
});
