import { systemRuntime } from '@mosaik/primitives';
import { logStoreCompliance } from '../../src/compliance/index.ts';
import type { LogStore } from '../../src/index.ts';
import { Disk } from '../support/disk.ts';

/** The disk of the simulations keeps to the contract as well. */
logStoreCompliance('a simulated disk', () => {
  const disks = new Map<LogStore, Disk>();
  const mount = (disk: Disk): LogStore => {
    const store = disk.mount(systemRuntime);
    disks.set(store, disk);
    return store;
  };
  const again = (store: LogStore): LogStore => mount(disks.get(store) as Disk);
  return {
    canCrash: true,
    run: (test) => test({ create: () => mount(new Disk()), again, crash: async (store) => again(store) }),
  };
});
