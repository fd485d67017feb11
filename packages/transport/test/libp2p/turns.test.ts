import { describe, expect, it } from 'vitest';
import { Turns, type Waiting } from '../../src/libp2p/turns.ts';
import { manualRuntime } from '../kit/manual-runtime.ts';

const FRAME_BYTES = 64 * 1024;

/** A link with so many frames to send, which writes down when each leaves. */
function link(turns: Turns, name: string, frames: number, sent: string[]): Waiting {
  let left = frames;
  const waiting: Waiting = {
    go: () => {
      sent.push(name);
      left--;
      if (left > 0) turns.join(waiting);
      return FRAME_BYTES;
    },
  };
  return waiting;
}

describe('turns of bulk', () => {
  it('go round, a frame of each', async () => {
    const runtime = manualRuntime();
    const turns = new Turns(runtime);
    const sent: string[] = [];
    for (const [name, frames] of Object.entries({ a: 3, b: 1, c: 2 }))
      turns.join(link(turns, name, frames, sent));
    expect(sent).toEqual([]);
    await runtime.advance(0);
    expect(sent.join('')).toBe('abcaca');
  });

  it('let other events in after 256 KiB', () => {
    const pending: (() => void)[] = [];
    const turns = new Turns({ ...manualRuntime(), yieldTo: (callback) => void pending.push(callback) });
    const sent: string[] = [];
    turns.join(link(turns, 'a', 6, sent));
    turns.join(link(turns, 'b', 6, sent));
    const after: string[] = [];
    for (let next = pending.shift(); next; next = pending.shift()) {
      next();
      after.push(sent.splice(0).join(''));
    }
    // The last one only ends the turn before.
    expect(after).toEqual(['abab', 'abab', 'abab', '']);
  });

  it('are not waited for as long as nobody else does and something is left of this one', async () => {
    const runtime = manualRuntime();
    const turns = new Turns(runtime);
    expect(turns.isFree).toBe(true);
    turns.spend(4 * FRAME_BYTES - 1);
    expect(turns.isFree).toBe(true);
    turns.spend(1);
    expect(turns.isFree).toBe(false);
    await runtime.advance(0);
    expect(turns.isFree).toBe(true);
    const sent: string[] = [];
    turns.join(link(turns, 'a', 1, sent));
    expect(turns.isFree).toBe(false);
  });

  it('rest after 128 KiB while small frames go to and fro', async () => {
    const runtime = manualRuntime();
    const turns = new Turns(runtime);
    const sent: string[] = [];
    for (let frame = 0; frame < 4; frame++) turns.small();
    turns.join(link(turns, 'a', 5, sent));
    await runtime.advance(0);
    expect(sent).toHaveLength(2);
    expect(turns.isFree).toBe(false);
    await runtime.advance(0.9);
    expect(sent).toHaveLength(2);
    await runtime.advance(0.1);
    expect(sent).toHaveLength(4);
  });

  it('forget who leaves', async () => {
    const runtime = manualRuntime();
    const turns = new Turns(runtime);
    const sent: string[] = [];
    const gone = link(turns, 'a', 1, sent);
    turns.join(gone);
    turns.join(link(turns, 'b', 1, sent));
    turns.leave(gone);
    await runtime.advance(0);
    expect(sent).toEqual(['b']);
  });
});
