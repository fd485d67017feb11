import { systemRuntime } from '@mosaik/primitives';
import { expect, it } from 'vitest';
import { Dated } from '../../src/member/dated.ts';

it('what changes is as it is since it became so, not since it was said again', () => {
  let nowMs = 5;
  const dated = new Dated({ ...systemRuntime, now: () => nowMs }, 'a');
  expect(dated).toMatchObject({ value: 'a', sinceMs: 5 });
  nowMs = 6;
  dated.value = 'a';
  expect(dated).toMatchObject({ value: 'a', sinceMs: 5 });
  dated.value = 'b';
  expect(dated).toMatchObject({ value: 'b', sinceMs: 6 });
});
