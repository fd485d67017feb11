import { describe, expect, it } from 'vitest';
import { programs, sessions } from './support/guide.ts';
import { playSession } from './support/guide-session.ts';
import { runExample } from './support/readme.ts';

const DEADLINE_MS = 60_000;
const SESSION_MS = 300_000;

describe('the code of a guide', () => {
  it('is there', () => {
    expect(programs().map((guide) => guide.package)).toEqual(
      expect.arrayContaining(['concepts', 'groups', 'operations', 'store', 'streams']),
    );
  });

  it.each(programs())(
    'on $package runs from top to bottom, and prints what it says',
    async (guide) => {
      const { code, stdout, stderr } = await runExample(guide, DEADLINE_MS);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toBe(guide.prints);
    },
    DEADLINE_MS,
  );
});

describe('what a guide tells to type', () => {
  it('is there', () => {
    expect(sessions().map(({ name }) => name)).toEqual(['deployment', 'getting-started', 'operations']);
  });

  it.each(sessions())('in $name works, and prints what it says', { timeout: SESSION_MS }, playSession);
});
