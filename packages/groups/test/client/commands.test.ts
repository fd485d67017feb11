import { describe, expect, it } from 'vitest';
import {
  CommandAbortedError,
  CommandInvalidError,
  type CommandOutcome,
  type CommandsError,
  CommandsFailedError,
  CommandTooLargeError,
  GroupClosedError,
  GroupOverloadedError,
} from '../../src/errors.ts';
import {
  CommandFailedError,
  CommandRejectedError,
  ResultForgottenError,
  SessionExpiredError,
} from '../../src/machine/errors.ts';
import { LoneGroup, type Sum } from './lone-group.ts';

/** What a call was ended with. */
async function errorOf<E extends Error = CommandsError>(call: Promise<unknown>): Promise<E> {
  return await call.then(
    () => expect.fail('the call has not failed'),
    (error: E) => error,
  );
}

const ones = (count: number): Sum[] => Array.from({ length: count }, () => 1);

/** How many commands ended how. */
function counts(outcomes: readonly CommandOutcome[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const { effect } of outcomes) counted[effect] = (counted[effect] ?? 0) + 1;
  return counted;
}

describe('a call of many commands', () => {
  it('of which some fail is heard of when all are settled, and tells what became of each', async () => {
    const group = new LoneGroup();
    const call = errorOf<CommandsFailedError>(group.commands.run([1, 'no', 2, 'bug', 3]));
    await group.deliver();
    const error = await call;
    expect(error).toBeInstanceOf(CommandsFailedError);
    expect(error.code).toBe('ERR_COMMANDS_FAILED');
    expect(error.outcomes).toMatchObject([
      { command: 1, effect: 'applied', index: 2, result: 1 },
      { command: 'no', effect: 'notApplied', error: { reason: 'no', command: 'no' } },
      { command: 2, effect: 'applied', index: 2, result: 3 },
      { command: 'bug', effect: 'unknown', error: { code: 'ERR_COMMAND_FAILED', command: 'bug' } },
      { command: 3, effect: 'applied', index: 2, result: 6 },
    ]);
    expect(error.cause).toBe(error.outcomes[1]?.error);
    expect(error.message).toBe('2 of 5 commands have no result; the first: as it was told');
    expect(error).toMatchObject({ effect: 'unknown', unsent: [], unknown: ['bug'] });
    expect(group.sum).toBe(6);
  });

  it('that is given up tells which are applied, which may be, and which never left', async () => {
    const group = new LoneGroup();
    const limit = new AbortController();
    const commands: Sum[] = ['no', ...ones(9_999)];
    const call = errorOf(group.commands.run(commands, { signal: limit.signal }));
    // The session, and the first run of it.
    await group.deliver(2);
    const applied = group.sum;
    expect(applied).toBeGreaterThan(0);
    await group.offered();
    limit.abort(new Error('enough'));
    const error = await call;
    expect(error).toBeInstanceOf(CommandAbortedError);
    expect(error.cause).toMatchObject({ message: 'enough' });
    expect(error.outcomes.map(({ command }) => command)).toEqual(commands);
    expect(error.outcomes[0]).toMatchObject({ effect: 'notApplied', error: { reason: 'no' } });
    const { unsent, unknown } = error;
    expect(counts(error.outcomes)).toEqual({
      applied,
      unknown: unknown.length,
      notApplied: unsent.length + 1,
    });
    expect(unknown).toHaveLength(4_096);
    expect(unsent).toHaveLength(10_000 - 1 - applied - 4_096);
    // Those that had left are applied, and no others.
    await group.deliver();
    expect(group.sum).toBe(applied + 4_096);
  });

  it('whose session expires tells which may be applied; the others go on under another session', async () => {
    const group = new LoneGroup({ limits: { maxSessions: 1 } });
    const call = errorOf<CommandsFailedError>(group.commands.run(ones(5_000)));
    await group.deliver(1);
    await group.lose();
    group.openOther();
    group.session.restart();
    await group.deliver();
    const error = await call;
    expect(counts(error.outcomes)).toEqual({ unknown: 4_096, applied: 904 });
    expect(error.outcomes[0]?.effect).toBe('unknown');
    expect(error.outcomes[4_999]).toMatchObject({ effect: 'applied', result: 904 });
    expect(error.cause).toBeInstanceOf(SessionExpiredError);
    expect(group.sum).toBe(904);
  });

  it('is refused as a whole for one that cannot be sent, and says which that is', async () => {
    const group = new LoneGroup({ maxBytes: 10, maxPending: 4 });
    const unencodable = Symbol('of no codec') as unknown as Sum;
    const invalid = await errorOf<CommandInvalidError>(group.commands.run([1, unencodable, 2]));
    expect(invalid).toBeInstanceOf(CommandInvalidError);
    expect(invalid).toMatchObject({ code: 'ERR_COMMAND_INVALID', place: 1, effect: 'notApplied' });
    expect(invalid.cause).toMatchObject({ code: 'ERR_ENCODE' });
    expect(invalid.unsent).toEqual([1, unencodable, 2]);
    const large = 'x'.repeat(20) as Sum;
    const tooLarge = await errorOf(group.commands.run([1, 2, large]));
    expect(tooLarge).toBeInstanceOf(CommandTooLargeError);
    expect(tooLarge).toMatchObject({ place: 2, effect: 'notApplied', unsent: [1, 2, large], unknown: [] });
    const overloaded = await errorOf(group.commands.run(ones(5)));
    expect(overloaded).toBeInstanceOf(GroupOverloadedError);
    expect(overloaded.message).toBe('0 commands wait, and no 5 more: 4 may (maxPendingCommands)');
    expect(overloaded.outcomes).toEqual(ones(5).map((command) => ({ command, effect: 'notApplied' })));
    expect(await group.offered()).toEqual([]);
    expect(group.session.length).toBe(0);
  });
});

describe('a call that was given up', () => {
  /** A call whose first two commands, the second one refused, had left when it was given up. */
  async function givenUp(group: LoneGroup): Promise<CommandAbortedError> {
    const limit = new AbortController();
    const call = errorOf<CommandAbortedError>(group.commands.run([1, 'no'], { signal: limit.signal }));
    await group.deliver(1);
    await group.offered();
    limit.abort();
    const error = await call;
    expect(error).toMatchObject({ unsent: [], unknown: [1, 'no'], effect: 'unknown' });
    return error;
  }

  it('is told, if it asks, what became of its commands when that is known', async () => {
    const group = new LoneGroup();
    const error = await givenUp(group);
    let isResolved = false;
    void error.resolved().then(() => {
      isResolved = true;
    });
    // Lost at first; what was given up is sent again all the same.
    await group.lose();
    group.session.restart();
    await group.offered();
    expect(isResolved).toBe(false);
    await group.deliver();
    expect(await error.resolved()).toMatchObject([
      { command: 1, effect: 'applied', result: 1 },
      { command: 'no', effect: 'notApplied', error: { reason: 'no' } },
    ]);
  });

  it('of which some never left hears of the others', async () => {
    const group = new LoneGroup();
    const limit = new AbortController();
    const call = errorOf<CommandAbortedError>(group.commands.run(ones(5_000), { signal: limit.signal }));
    await group.deliver(1);
    await group.offered();
    limit.abort();
    const { outcomes, ...error } = await call;
    expect(counts(outcomes)).toEqual({ unknown: 4_096, notApplied: 904 });
    await group.deliver();
    expect(counts(await (await call).resolved())).toEqual({ applied: 4_096, notApplied: 904 });
    expect(error.unsent).toHaveLength(904);
    expect(group.sum).toBe(4_096);
  });

  it('hears that they are not applied when the history that they were sent to is gone', async () => {
    const group = new LoneGroup();
    const error = await givenUp(group);
    await group.lose();
    group.session.moveOn();
    expect(counts(await error.resolved())).toEqual({ notApplied: 2 });
    await group.deliver();
    expect(group.sum).toBe(0);
  });

  it('hears no more than is known when the session expires, or the group is closed', async () => {
    const group = new LoneGroup({ limits: { maxSessions: 1 } });
    const expired = await givenUp(group);
    await group.lose();
    group.openOther();
    group.session.restart();
    await group.deliver();
    expect((await expired.resolved())[0]).toMatchObject({
      effect: 'unknown',
      error: { code: 'ERR_SESSION_EXPIRED', command: 1 },
    });
    const closed = await givenUp(group);
    group.commands.close((outcomes) => new GroupClosedError('closed', outcomes));
    expect(await closed.resolved()).toEqual(closed.outcomes);
  });

  it('before it began has nothing to hear of', async () => {
    const group = new LoneGroup();
    const error = await errorOf<CommandAbortedError>(
      group.commands.run([1], { signal: AbortSignal.abort() }),
    );
    expect(await error.resolved()).toEqual([{ command: 1, effect: 'notApplied' }]);
  });
});

describe('a call of one command', () => {
  it.each([{}, { signal: new AbortController().signal }])(
    'tells the command, and whether it took effect, by its own error (%j)',
    async (options) => {
      const group = new LoneGroup();
      const rejected = errorOf(group.commands.runOne('no', options));
      const failed = errorOf(group.commands.runOne('bug', options));
      await group.deliver();
      expect(await rejected).toBeInstanceOf(CommandRejectedError);
      expect(await rejected).toMatchObject({ command: 'no', effect: 'notApplied' });
      expect(await failed).toBeInstanceOf(CommandFailedError);
      expect(await failed).toMatchObject({ command: 'bug', effect: 'unknown' });
    },
  );

  it.each([true, false])('whose session expires may be applied or not: %j', async (wasApplied) => {
    const group = new LoneGroup({ limits: { maxSessions: 1 } });
    const call = errorOf(group.commands.runOne(7));
    await group.deliver(1);
    if (wasApplied) await group.deliverUnheard();
    else await group.lose();
    group.openOther();
    group.session.restart();
    await group.deliver();
    expect(await call).toBeInstanceOf(SessionExpiredError);
    expect(await call).toMatchObject({ command: 7, effect: 'unknown', code: 'ERR_SESSION_EXPIRED' });
    expect(group.sum).toBe(wasApplied ? 7 : 0);
  });

  it('that was applied so long ago that its result is gone says so', async () => {
    const group = new LoneGroup({ limits: { maxResults: 1 } });
    const first = errorOf(group.commands.runOne(7));
    const second = group.commands.runOne(8);
    await group.deliver(1);
    await group.deliverUnheard();
    group.session.restored();
    expect(await first).toBeInstanceOf(ResultForgottenError);
    expect(await first).toMatchObject({ command: 7, effect: 'applied', code: 'ERR_RESULT_FORGOTTEN' });
    expect(await second).toMatchObject({ result: 15 });
  });

  it('is not sent when its signal has fired before', async () => {
    const group = new LoneGroup();
    const error = await errorOf(group.commands.runOne(1, { signal: AbortSignal.abort('why') }));
    expect(error).toBeInstanceOf(CommandAbortedError);
    expect(error).toMatchObject({ cause: 'why', unsent: [1], unknown: [], effect: 'notApplied' });
    expect(await group.offered()).toEqual([]);
  });
});

describe('commands that wait', () => {
  it('and are given up make room for others, though nobody leads', async () => {
    const group = new LoneGroup({ maxPending: 10 });
    group.isOnline = false;
    const limits = Array.from({ length: 9 }, () => new AbortController());
    const given = limits.map(({ signal }) => errorOf(group.commands.runOne(100, { signal })));
    const kept = group.commands.runOne(1);
    const bytesOfAll = group.session.waitingBytes;
    await expect(group.commands.runOne(2)).rejects.toThrow(GroupOverloadedError);
    for (const [place, limit] of limits.entries()) {
      limit.abort();
      expect(group.session.length).toBe(9 - place);
      expect(group.session.waitingBytes).toBeLessThan(((10 - place) / 10) * bytesOfAll);
      expect(await given[place]).toMatchObject({ unsent: [100], unknown: [] });
    }
    const bytes = group.session.waitingBytes;
    const others = Array.from({ length: 9 }, () => group.commands.runOne(2));
    await expect(group.commands.runOne(2)).rejects.toThrow(GroupOverloadedError);
    expect(group.session.waitingBytes).toBe(10 * bytes);
    group.isOnline = true;
    group.session.restart();
    await group.deliver();
    expect(await kept).toMatchObject({ result: 1 });
    expect((await Promise.all(others)).at(-1)).toMatchObject({ result: 19 });
    expect(group.session).toMatchObject({ length: 0, waitingBytes: 0 });
  });

  it('and are given up are not sent later, nor kept until then', async () => {
    const group = new LoneGroup();
    group.isOnline = false;
    const limit = new AbortController();
    const first = group.commands.runOne(1);
    const given = errorOf(group.commands.runOne(100, { signal: limit.signal }));
    const last = group.commands.runOne(2);
    limit.abort();
    expect(await given).toMatchObject({ unsent: [100] });
    group.isOnline = true;
    group.session.restart();
    await group.deliver();
    expect([(await first).result, (await last).result]).toEqual([1, 3]);
    group.isOnline = false;
    for (let count = 0; count < 1_000; count++) {
      const soon = new AbortController();
      const call = errorOf(group.commands.run(ones(2), { signal: soon.signal }));
      soon.abort();
      expect(counts((await call).outcomes)).toEqual({ notApplied: 2 });
    }
    expect(group.session.close()).toEqual([]);
  });

  it('may be few and large: beyond 64 MiB no more are taken', async () => {
    const group = new LoneGroup({ maxBytes: 16 * 1024 * 1024 });
    group.isOnline = false;
    const large = 'x'.repeat(15 * 1024 * 1024) as Sum;
    const taken = Array.from({ length: 5 }, () => errorOf(group.commands.runOne(large)));
    const refused = await errorOf(group.commands.runOne(1));
    expect(refused).toBeInstanceOf(GroupOverloadedError);
    expect(refused).toMatchObject({ unsent: [1], message: expect.stringMatching(/^\d+ bytes of commands/) });
    group.commands.close((outcomes) => new GroupClosedError('closed', outcomes));
    expect(await Promise.all(taken)).toMatchObject(taken.map(() => ({ unsent: [large] })));
  });

  it('are told what became of them when the group is closed', async () => {
    const group = new LoneGroup();
    const many = errorOf(group.commands.run(ones(4_000)));
    await group.deliver(1);
    const sent = errorOf(group.commands.runOne(7));
    const unsent = errorOf(group.commands.run(ones(200)));
    await group.offered();
    group.commands.close((outcomes) => new GroupClosedError('closed', outcomes));
    expect(counts((await many).outcomes)).toEqual({ unknown: 4_000 });
    expect(await sent).toMatchObject({ unknown: [7], unsent: [], effect: 'unknown' });
    expect(counts((await unsent).outcomes)).toEqual({ unknown: 95, notApplied: 105 });
    expect(group.session.length).toBe(0);
  });
});
