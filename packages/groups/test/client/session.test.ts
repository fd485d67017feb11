import { describe, expect, it } from 'vitest';
import { GroupClosedError } from '../../src/errors.ts';
import type { CommandRecord } from '../../src/machine/commands.ts';
import { LoneGroup } from './lone-group.ts';

/** Records in short: what they are, and of which sequence on how many commands. */
function short(records: readonly CommandRecord[]): unknown[] {
  return records.map((record) =>
    record.kind === 'run' ? [record.session, record.sequence, record.commands.length] : record.kind,
  );
}

describe('a session', () => {
  it('is opened with the first command, and numbers commands in call order', async () => {
    const group = new LoneGroup();
    expect(group.session.number).toBeUndefined();
    const calls = [1, 2, 3].map((command) => group.commands.runOne(command));
    expect(short(await group.offered())).toEqual(['open']);
    await group.deliver(1);
    expect(short(await group.offered())).toEqual([[1, 1, 3]]);
    await group.deliver();
    expect((await Promise.all(calls)).map(({ result }) => result)).toEqual([1, 3, 6]);
  });

  it('opened twice keeps one, and closes the other', async () => {
    const group = new LoneGroup();
    const call = group.commands.runOne(1);
    await group.offered();
    group.session.restart();
    expect(short(await group.offered())).toEqual(['open', 'open']);
    await group.deliver();
    expect(await call).toMatchObject({ result: 1 });
    expect(group.session.number).toBe(1);
    expect(group.applier.sessions).toBe(1);
  });

  it('sends again what was lost, from the first that the group lacks, and each is applied once', async () => {
    const group = new LoneGroup();
    const first = group.commands.runOne(1);
    await group.deliver();
    const lost = group.commands.runOne(2);
    await group.lose();
    const after = group.commands.runOne(3);
    expect(short(await group.offered())).toEqual([[1, 3, 1]]);
    // The group tells of the gap.
    await group.deliver(1);
    expect(short(await group.offered())).toEqual([[1, 2, 2]]);
    // They were not lost, but late.
    group.session.restart();
    expect(short(await group.offered())).toEqual([
      [1, 2, 2],
      [1, 2, 2],
    ]);
    await group.deliver();
    const results = (await Promise.all([first, lost, after])).map(({ result }) => result);
    expect(results).toEqual([1, 3, 6]);
    expect(group.sum).toBe(6);
  });

  it('sends again after a while without any progress, and not before', async () => {
    const group = new LoneGroup();
    const call = group.commands.runOne(1);
    await group.deliver(1);
    await group.lose();
    group.nowMs = 1_000;
    group.session.tick(group.nowMs);
    expect(await group.offered()).toEqual([]);
    group.nowMs = 1_001;
    group.session.tick(group.nowMs);
    await group.deliver();
    expect(await call).toMatchObject({ result: 1 });
  });

  it('of a history that is gone is of no more use: what was under way is not sent yet', async () => {
    const group = new LoneGroup();
    const call = group.commands.runOne(1).catch((error: unknown) => error);
    await group.deliver(1);
    await group.lose();
    expect([group.session.isOwn(1), group.session.isOwn(2)]).toEqual([true, false]);
    expect([1, 2].map((sequence) => group.session.isUnderWay(1, sequence))).toEqual([true, false]);
    group.session.moveOn();
    expect([group.session.number, group.session.isOwn(1)]).toEqual([undefined, false]);
    expect(group.session.isUnderWay(1, 1)).toBe(false);
    group.commands.close((outcomes) => new GroupClosedError('closed', outcomes));
    expect(await call).toMatchObject({ unsent: [1], unknown: [] });
  });

  it('that has nothing to say says that it lives', async () => {
    const group = new LoneGroup();
    await Promise.all([group.commands.runOne(1), group.deliver()]);
    group.session.tick(0);
    group.session.tick(15 * 60_000);
    expect(await group.offered()).toEqual([]);
    group.session.tick(15 * 60_000 + 1);
    expect(short(await group.offered())).toEqual([[1, 2, 0]]);
  });
});
