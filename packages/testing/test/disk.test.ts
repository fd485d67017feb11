import { describe, expect, it } from 'vitest';
import { createDisk, createWorld, type Disk, type World } from '../src/index.ts';

const text = (disk: Disk, file = 'log'): string | undefined => {
  const bytes = disk.read(file);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
};
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

function scene(seed = 1, syncMs = 1): { world: World; disk: Disk } {
  const world = createWorld({ seed });
  return { world, disk: createDisk(world.host('a'), { runtime: world.runtime, syncMs }) };
}

describe('a disk', () => {
  it('keeps all that was written when its process is killed', async () => {
    const { world, disk } = scene();
    await world.run(async () => {
      const mount = disk.mount();
      mount.append('log', bytes('one '));
      mount.append('log', bytes('two'));
      mount.replace('mark', bytes('2'));
      disk.host.crash();
      disk.host.restart();
      expect(text(disk)).toBe('one two');
      expect(text(disk, 'mark')).toBe('2');
    });
  });

  it('keeps what was synced when power is lost, and of the rest some first part, cut anywhere', async () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const { world, disk } = scene(seed);
      await world.run(async () => {
        const mount = disk.mount();
        mount.append('log', bytes('synced '));
        await mount.sync();
        mount.append('log', bytes('abc'));
        mount.append('log', bytes('def'));
        disk.host.crash({ mode: 'powerLoss' });
        const found = text(disk) ?? '';
        expect('synced abcdef'.startsWith(found)).toBe(true);
        expect(found.startsWith('synced ')).toBe(true);
        seen.add(found.slice(7));
        expect(disk.unsynced).toBe(0);
      });
    }
    expect([...seen].sort()).toEqual(['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef']);
  });

  it('loses renames and removals that were not synced, too', async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 30; seed++) {
      const { world, disk } = scene(seed);
      await world.run(async () => {
        const mount = disk.mount();
        mount.append('a', bytes('content'));
        await mount.sync();
        mount.rename('a', 'b');
        mount.remove('b');
        disk.host.crash({ mode: 'powerLoss' });
        outcomes.add(disk.files.join());
      });
    }
    expect(outcomes).toEqual(new Set(['a', 'b', '']));
  });

  it('makes durable what was written before the sync was called, and no more', async () => {
    const { world, disk } = scene(1, 10);
    await world.run(async () => {
      const mount = disk.mount();
      mount.append('log', bytes('before'));
      const synced = mount.sync();
      mount.append('log', bytes(' after'));
      await synced;
      expect(world.now).toBe(10);
      expect(disk.unsynced).toBe(1);
    });
  });

  it('that stalls ends its syncs late', async () => {
    const { world, disk } = scene();
    await world.run(async () => {
      const mount = disk.mount();
      const first = mount.sync();
      disk.stall(500);
      await first;
      expect(world.now).toBe(500);
      await mount.sync();
      expect(world.now).toBe(501);
    });
  });

  it('that is full refuses what is too much, and takes what is not', async () => {
    const { world, disk } = scene();
    await world.run(async () => {
      const mount = disk.mount();
      disk.limit(4);
      mount.append('log', bytes('1234'));
      expect(() => mount.append('log', bytes('5'))).toThrow(/full/);
      mount.truncate('log', 2);
      mount.append('log', bytes('56'));
      expect(text(disk)).toBe('1256');
    });
  });

  it('whose syncs fail makes nothing durable', async () => {
    const { world, disk } = scene();
    await world.run(async () => {
      const mount = disk.mount();
      mount.append('log', bytes('x'));
      const failing = disk.failSyncs();
      await expect(mount.sync()).rejects.toMatchObject({ code: 'ERR_DISK_FAILED' });
      failing[Symbol.dispose]();
      failing[Symbol.dispose]();
      expect(disk.unsynced).toBe(1);
      await mount.sync();
      expect(disk.unsynced).toBe(0);
    });
  });

  it('that is damaged has one bit flipped, where it was told or anywhere', async () => {
    const { world, disk } = scene();
    await world.run(async () => {
      expect(disk.damage()).toBeUndefined();
      const mount = disk.mount();
      mount.append('log', new Uint8Array(100));
      await mount.sync();
      expect(disk.damage({ file: 'log', offset: 42 })).toEqual({ file: 'log', offset: 42 });
      const bits = () =>
        [...(disk.read('log') ?? [])].map((byte) => byte.toString(2).replaceAll('0', '').length);
      expect(bits()[42]).toBe(1);
      expect(bits().reduce((a, b) => a + b)).toBe(1);
      disk.host.crash({ mode: 'powerLoss' });
      expect(bits()[42]).toBe(1);
      expect(disk.damage()?.file).toBe('log');
    });
  });

  it('is out of reach for a process that has ended', async () => {
    const { world, disk } = scene();
    await world.run(async () => {
      const mount = disk.mount();
      let synced = false;
      void mount.sync().then(() => {
        synced = true;
      });
      disk.host.crash();
      expect(() => disk.mount()).toThrow(/down/);
      disk.host.restart();
      expect(mount.isAlive).toBe(false);
      mount.append('log', bytes('late'));
      void mount.sync().then(() => {
        synced = true;
      });
      await world.sleep(1_000);
      expect(synced).toBe(false);
      expect(disk.files).toEqual([]);
    });
  });
});
