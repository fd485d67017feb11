import { createScope, type Runtime, type Scope, systemRuntime } from '@mosaik/primitives';
import { afterEach, describe, expect, it } from 'vitest';
import { Announcer } from '../../src/announce/announcer.ts';
import { compareVersions, type SignedEntry } from '../../src/entry/peer-entry.ts';
import { entryOf, peerId, signerOf } from '../support/entries.ts';

const SELF = peerId('self');

class Stage {
  readonly published: SignedEntry[] = [];
  readonly errors: Error[] = [];
  readonly announcer: Announcer;
  readonly scope: Scope;
  wallMs = 1_800_000_000_000;
  /** Timers that were set and not cancelled, in the order in which they were set. */
  readonly timers: { readonly delayMs: number; readonly fire: () => void }[] = [];
  intervalMs = 15_000;
  publishing: Promise<void> = Promise.resolve();
  signing: Promise<void> = Promise.resolve();
  tags: string[] = [];

  constructor() {
    const runtime: Runtime = {
      ...systemRuntime,
      wallNow: () => this.wallMs,
      setTimer: (delayMs, fire) => {
        const timer = { delayMs, fire };
        this.timers.push(timer);
        return { cancel: () => void this.timers.splice(this.timers.indexOf(timer), 1) };
      },
    };
    this.scope = createScope({ runtime, name: 'test', onError: (error) => void this.errors.push(error) });
    this.announcer = new Announcer({
      scope: this.scope,
      sign: async (data) => {
        await this.signing;
        return signerOf(SELF)(data);
      },
      intervalMs: () => this.intervalMs,
      build: (version, isDeparted) => {
        const names = Object.fromEntries(this.tags.entries());
        return entryOf(SELF, version, { names, isDeparted });
      },
      publish: async (signed) => {
        this.published.push(signed);
        await this.publishing;
      },
    });
  }

  get names(): string[][] {
    return this.published.map(({ entry }) => Object.values(entry.names));
  }
}

/** A turn of the event loop, and what it leads to. */
function turn(): Promise<void> {
  return new Promise((resolve) => systemRuntime.setTimer(1, resolve));
}

let stage = new Stage();
afterEach(async () => {
  expect(stage.errors).toEqual([]);
  await stage.scope.close();
  stage = new Stage();
});

describe('an announcement', () => {
  it('is made at the start, with the time of the start', async () => {
    stage.wallMs += 0.75;
    await stage.announcer.begin();
    expect(stage.published.map(({ entry }) => entry.version)).toEqual([
      { start: 1_800_000_000_000, update: 1_800_000_000_000 },
    ]);
    expect(stage.announcer.current).toBe(stage.published[0]);
  });

  it('of a change that comes before the first is made waits for it', async () => {
    let sign = (): void => {};
    stage.signing = new Promise((resolve) => {
      sign = resolve;
    });
    const beginning = stage.announcer.begin();
    stage.tags.push('early');
    stage.announcer.announce();
    await turn();
    sign();
    await beginning;
    await turn();
    expect(stage.names).toEqual([[], ['early']]);
  });

  it('tells of all changes of a turn together', async () => {
    await stage.announcer.begin();
    for (let index = 0; index < 100; index++) {
      stage.tags.push(`tag ${index}`);
      stage.announcer.announce();
    }
    await turn();
    expect(stage.names.map(({ length }) => length)).toEqual([0, 100]);
  });

  it('is followed by one other when something changes while it is being made', async () => {
    await stage.announcer.begin();
    let finish = (): void => {};
    stage.publishing = new Promise((resolve) => {
      finish = resolve;
    });
    stage.announcer.announce();
    await turn();
    for (const text of ['a', 'b', 'c']) {
      stage.tags.push(text);
      stage.announcer.announce();
      await turn();
    }
    finish();
    await turn();
    expect(stage.names).toEqual([[], [], ['a', 'b', 'c']]);
  });

  it('is made again from time to time, at the interval that holds then', async () => {
    await stage.announcer.begin();
    const [first] = stage.timers;
    expect(first?.delayMs).toBeGreaterThanOrEqual(13_500);
    expect(first?.delayMs).toBeLessThanOrEqual(16_500);
    stage.intervalMs = 60_000;
    first?.fire();
    await turn();
    expect(stage.published).toHaveLength(2);
    expect(stage.timers.at(-1)?.delayMs).toBeGreaterThanOrEqual(54_000);
  });
});

describe('versions', () => {
  it('grow strictly, also when the wall clock stands still or is set back', async () => {
    await stage.announcer.begin();
    for (const step of [0, 0, -3_600_000, 1, 0.4, 0.4, 7_200_000, -1]) {
      stage.wallMs += step;
      stage.announcer.announce();
      await turn();
    }
    const versions = stage.published.map(({ entry }) => entry.version);
    expect(versions).toHaveLength(9);
    for (const [index, version] of versions.entries()) {
      expect(Number.isInteger(version.update)).toBe(true);
      expect(version.start).toBe(1_800_000_000_000);
      const before = versions[index - 1];
      if (before !== undefined) expect(compareVersions(version, before)).toBeGreaterThan(0);
    }
  });
});

describe('a departure', () => {
  it('is the last that is said, whatever changes meanwhile', async () => {
    await stage.announcer.begin();
    let finish = (): void => {};
    stage.publishing = new Promise((resolve) => {
      finish = resolve;
    });
    stage.announcer.announce();
    const departing = stage.announcer.depart();
    stage.announcer.announce();
    await turn();
    stage.announcer.announce();
    finish();
    await departing;
    stage.announcer.announce();
    await turn();
    expect(stage.published.at(-1)?.entry.isDeparted).toBe(true);
    expect(stage.published.filter(({ entry }) => entry.isDeparted)).toHaveLength(1);
    const versions = stage.published.map(({ entry }) => entry.version);
    expect(versions.toSorted(compareVersions)).toEqual(versions);
  });

  it('is not overtaken by a change that is announced while it is being signed', async () => {
    await stage.announcer.begin();
    let sign = (): void => {};
    stage.signing = new Promise((resolve) => {
      sign = resolve;
    });
    const departing = stage.announcer.depart();
    await turn();
    stage.announcer.announce();
    await turn();
    sign();
    await departing;
    await turn();
    expect(stage.published.map(({ entry }) => entry.isDeparted)).toEqual([false, true]);
  });
});
