import { systemRuntime } from '@mosaik/primitives';
import { logStoreCompliance } from '../../src/compliance/index.ts';
import type { LogStore } from '../../src/index.ts';
import { LogDisk } from '../../src/simulated/index.ts';

/** The disk of the simulations keeps to the contract as well. */
logStoreCompliance('a simulated disk', () => {
  const disks = new Map<LogStore, LogDisk>();
  const mount = (disk: LogDisk): LogStore => {
    const store = disk.mount(systemRuntime);
    disks.set(store, disk);
    return store;
  };
  const again = (store: LogStore): LogStore => mount(disks.get(store) as LogDisk);
  return {
    canCrash: true,
    run: (test) => test({ create: () => mount(new LogDisk()), again, crash: async (store) => again(store) }),
  };
});
