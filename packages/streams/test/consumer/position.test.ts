import { DecodeError, type PeerId } from '@mosaik/primitives';
import { describe, expect, it } from 'vitest';
import { Position } from '../../src/consumer/position.ts';
import type { Accepted, Epoch } from '../../src/wire/messages.ts';

const producer = 'a'.repeat(64) as PeerId;
const [first, second] = ['0'.repeat(16) as Epoch, '1'.repeat(16) as Epoch];

/** A position whose subscription began, and that has received up to `next`. */
function at(accepted: Accepted, next: number): Position {
  const position = new Position(producer);
  position.begin(accepted);
  position.check({ first: accepted.next });
  position.advance(next);
  return position;
}

describe('a position', () => {
  it('misses nothing before its first subscription', () => {
    expect(new Position(producer).missedBefore({ epoch: first, next: 500 })).toEqual([]);
  });

  it('misses what was sent between two subscriptions', () => {
    const position = at({ epoch: first, next: 10 }, 20);
    expect(position.missedBefore({ epoch: first, next: 20 })).toEqual([]);
    expect(position.missedBefore({ epoch: first, next: 35 })).toEqual([
      { type: 'gap', producer, epoch: first, from: 20, to: 35 },
    ]);
  });

  it('misses an unknown end of a life, and the beginning of the next', () => {
    const position = at({ epoch: first, next: 10 }, 20);
    expect(position.missedBefore({ epoch: second, next: 5 })).toEqual([
      { type: 'gap', producer, epoch: first, from: 20, to: undefined },
      { type: 'gap', producer, epoch: second, from: 0, to: 5 },
    ]);
  });

  it('misses nothing of a life that ended in an orderly way', () => {
    const position = at({ epoch: first, next: 10 }, 20);
    position.finish({ next: 20 });
    expect(position.missedBefore({ epoch: second, next: 0 })).toEqual([]);
    position.begin({ epoch: second, next: 0 });
    expect(position.missedBefore({ epoch: first, next: 20 })[0]).toMatchObject({ epoch: second, from: 0 });
  });

  it('stays where it is until the subscription begins', () => {
    const position = at({ epoch: first, next: 10 }, 20);
    position.missedBefore({ epoch: first, next: 35 });
    expect(position.missedBefore({ epoch: first, next: 40 })).toMatchObject([{ from: 20, to: 40 }]);
  });

  it('refuses to go back, blocks out of place, an end that is not one, and what comes after it', () => {
    const position = at({ epoch: first, next: 10 }, 20);
    expect(() => position.missedBefore({ epoch: first, next: 19 })).toThrow(DecodeError);
    expect(() => position.check({ first: 19 })).toThrow('a block at 19, not at 20');
    expect(() => position.check({ first: 21 })).toThrow('a block at 21, not at 20');
    expect(() => position.finish({ next: 25 })).toThrow('the end at 25, not at 20');
    position.finish({ next: 20 });
    expect(() => position.check({ first: 20 })).toThrow('after the end');
  });
});
