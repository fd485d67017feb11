import { groupId } from '@mosaik/primitives';
import { createDisk, createWorld, type Disk } from '@mosaik/testing';
import { expect, it } from 'vitest';
import { storageCompliance } from '../../src/storage/compliance/index.ts';
import { entries } from '../../src/storage/compliance/kit.ts';
import { simulated } from '../../src/storage/simulated/index.ts';
import type { Storage } from '../../src/storage/storage.ts';

for (const mode of ['kill', 'powerLoss'] as const) {
  for (const seed of [1, 2, 3]) {
    storageCompliance(`simulated(disk), ${mode}, seed ${seed}`, () => ({
      canShare: true,
      canCrash: true,
      run: async (test) => {
        const world = createWorld({ seed });
        const disks = new Map<Storage, Disk>();
        const on = (disk: Disk): Storage => {
          const storage = simulated(disk);
          disks.set(storage, disk);
          return storage;
        };
        const diskOf = (storage: Storage): Disk => disks.get(storage) as Disk;
        await world.run(() =>
          test({
            runtime: world.runtime,
            create: () => on(createDisk(world.host(`host-${disks.size}`), { runtime: world.runtime })),
            again: (storage) => on(diskOf(storage)),
            crash: async (storage) => {
              const disk = diskOf(storage);
              disk.host.crash({ mode });
              disk.host.restart();
              return on(disk);
            },
          }),
        );
      },
    }));
  }
}

it('a log that power is lost over while it is set aside is never taken for a whole one', async () => {
  const group = groupId('aside');
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    const world = createWorld({ seed });
    await world.run(async () => {
      const disk = createDisk(world.host('a'), { runtime: world.runtime });
      const open = () => simulated(disk).open({ group, runtime: world.runtime });
      const log = await open();
      for (let index = 1; index <= 5; index++) await log.append({ entries: entries(index, index) });
      await log.close();
      // The last record is damaged: only the mark tells.
      disk.damage({ file: 'log', offset: (disk.read('log')?.length ?? 1) - 1 });
      await disk.mount().sync();
      void simulated(disk).setAside('damaged');
      disk.host.crash({ mode: 'powerLoss' });
      disk.host.restart();
      const outcome = await open().then(
        ({ recovered }) => `opened with ${recovered.last.index}`,
        (error) => error.code,
      );
      outcomes.add(outcome);
    });
  }
  expect([...outcomes].sort()).toEqual(['ERR_STORAGE_DAMAGED', 'opened with 0']);
});

it('what a killed process had not synced is durable before the next one acts upon it', async () => {
  const group = groupId('recovered');
  for (let seed = 1; seed <= 40; seed++) {
    const world = createWorld({ seed });
    await world.run(async () => {
      const disk = createDisk(world.host('a'), { runtime: world.runtime });
      const open = () => simulated(disk).open({ group, runtime: world.runtime });
      const log = await open();
      log.append({ entries: entries(1, 5) }).catch(() => {});
      disk.host.crash({ mode: 'kill' });
      disk.host.restart();
      expect((await open()).recovered.last.index).toBe(5);
      disk.host.crash({ mode: 'powerLoss' });
      disk.host.restart();
      expect((await open()).recovered.last.index).toBe(5);
    });
  }
});
