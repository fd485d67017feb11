import type { ApplyContext } from '@mosaik/groups';
import { describe, expect, it } from 'vitest';
import { type Audit, Ledger, type Receipt } from '../support/ledger.ts';

/** Applies these ids with the entries 1, 2, 3 and so on, and audits. */
function auditOf(ids: readonly string[], receipts: readonly Receipt[]): Audit {
  const ledger = Ledger.create();
  for (const [position, id] of ids.entries())
    ledger.apply({ id }, { index: position + 1 } as unknown as ApplyContext);
  return ledger.query(receipts, { index: ids.length } as never);
}

const receipts = [
  { prefix: 'a', from: 0, indices: [1, 2] },
  { prefix: 'b', from: 5, indices: [3] },
];

describe('an audit', () => {
  it('finds nothing where all is well, with what nobody was told of', () => {
    const audit = auditOf(['a0', 'a1', 'b5', 'a2'], receipts);
    expect(audit).toEqual({ deposits: 4, missing: [], misplaced: [], repeated: [] });
  });

  it('finds what is lost', () => {
    expect(auditOf(['a0', 'a1'], receipts)).toMatchObject({ missing: ['b5'] });
  });

  it('finds what is elsewhere than was said', () => {
    expect(auditOf(['a0', 'b5', 'a1'], receipts)).toMatchObject({
      missing: [],
      misplaced: ['a1 at 2, 3', 'b5 at 3, 2'],
    });
  });

  it('finds what was applied twice, acknowledged or not', () => {
    const { repeated } = auditOf(['a0', 'a1', 'b5', 'a0', 'x', 'x'], receipts);
    expect(repeated).toEqual(['a0 at 1,4', 'x at 5,6']);
  });
});
