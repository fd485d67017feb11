import { describe, expect, it } from 'vitest';
import { ApplyBook } from './apply-book.ts';

const put = (value: number) => ({ put: 'x', value });
const done = (before?: number) => (before === undefined ? { done: true } : { done: true, before });

describe('the book of what replicas apply', () => {
  it('takes the same of all, in entries of several commands, and again after a restart', () => {
    const book = new ApplyBook();
    for (let replica = 0; replica < 3; replica++) {
      const page = book.open();
      page.applied(3, put(1), done());
      page.applied(3, put(2), done(1));
      page.applied(5, put(3), done(2));
    }
    const restored = book.open();
    restored.restored();
    restored.applied(5, put(3), done(2));
  });

  it('finds a command that is applied twice, by whomever', () => {
    const book = new ApplyBook();
    book.open().applied(3, put(1), done());
    const other = book.open();
    other.applied(3, put(1), done());
    expect(() => other.applied(4, put(1), done(1))).toThrow(/exactly once: .* at 3\.1 and 4\.1/);
    const same = new ApplyBook().open();
    same.applied(3, put(1), done());
    expect(() => same.applied(3, put(1), done(1))).toThrow(/exactly once: .* at 3\.1 and 3\.2/);
  });

  it('finds another result, and another command at its place', () => {
    const book = new ApplyBook();
    book.open().applied(3, put(1), done());
    expect(() => book.open().applied(3, put(1), done(7))).toThrow(/equal states/);
    expect(() => book.open().applied(3, put(2), done())).toThrow(/equal states/);
  });

  it('finds one that was left out', () => {
    const book = new ApplyBook();
    const page = book.open();
    page.applied(3, put(1), done());
    page.applied(4, { put: 'y', value: 2 }, done());
    expect(() => book.open().applied(4, { put: 'y', value: 2 }, done())).toThrow(
      /equal states: 4\.1 comes after 3\.1 elsewhere, after 0\.0 here/,
    );
  });
});
