import { createDisk, createWorld, type Disk } from '@mosaik/testing';
import { storageCompliance } from '../../src/storage/compliance/index.ts';
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
