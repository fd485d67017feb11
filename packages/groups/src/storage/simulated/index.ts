/**
 * `@mosaik/groups/simulated`: a log on a disk of the simulator, for tests of whatever has to survive the loss of what was not
 * synced. See {@link simulated}.
 */
import { StorageGroupError, StorageLockedError } from '../errors.ts';
import { createIncarnation } from '../incarnation.ts';
import { LogState } from '../log-state.ts';
import type { LogStorage, OpenOptions, Storage } from '../storage.ts';
import type { SimulatedDisk, SimulatedMount } from './disk.ts';
import { Places } from './places.ts';
import { filesOf, type LogFiles, type Recovered, recover } from './recovery.ts';
import { SimulatedLog, type WriteRules } from './simulated-log.ts';

export type { SimulatedDisk, SimulatedMount } from './disk.ts';

/** Which log of a disk, and how it is written. */
export interface SimulatedOptions {
  /** Of its file. Default `log`. */
  readonly name?: string | undefined;
  /** What tests replace to prove that they would notice. */
  readonly rules?: Partial<WriteRules> | undefined;
}

/** Logs that are open, so that none is opened twice. */
const openLogs = new WeakMap<SimulatedDisk, Map<string, SimulatedLog>>();

/**
 * A log in a file of a simulated disk: records with checksums, one sync for all writes that wait, and a mark that says how
 * far it was acknowledged, as in `sqlite(path)`. To be made anew for each process of the host. Damage to what was written
 * last is only sure to be found after a kill: a loss of power may take the newest mark.
 */
export function simulated(disk: SimulatedDisk, options: SimulatedOptions = {}): Storage {
  return new SimulatedStorage(disk, options);
}

class SimulatedStorage implements Storage {
  readonly durability = 'fsync';
  readonly description: string;
  readonly #disk: SimulatedDisk;
  readonly #files: LogFiles;
  readonly #rules: Partial<WriteRules>;

  constructor(disk: SimulatedDisk, options: SimulatedOptions) {
    this.#disk = disk;
    this.#files = filesOf(options.name ?? 'log');
    this.#rules = options.rules ?? {};
    this.description = `${this.#files.log} on the disk of ${disk.host.name}`;
  }

  async open(options: OpenOptions): Promise<LogStorage> {
    this.#requireClosed();
    const mount = this.#disk.mount();
    const recovered = recover(mount, this.#files, this.description);
    const found = recovered?.state.group;
    if (found !== undefined && found !== options.group) {
      throw new StorageGroupError(this.description, { expected: options.group, found });
    }
    const log = new SimulatedLog(recovered ?? this.#empty(options), {
      mount,
      files: this.#files,
      where: this.description,
      rules: this.#rules,
    });
    this.#opened().set(this.#files.log, log);
    try {
      await log.created();
    } catch (thrown) {
      await log.close();
      throw thrown;
    }
    return log;
  }

  #empty({ group, runtime }: OpenOptions): Recovered {
    const state = new LogState(group, createIncarnation(runtime));
    return { state, places: new Places(), end: 0, sequence: 0, nextSnapshot: 1 };
  }

  async setAside(reason: 'damaged' | 'reverted'): Promise<string | undefined> {
    this.#requireClosed();
    const mount = this.#disk.mount();
    const { log, mark } = this.#files;
    if (![log, mark].some((file) => mount.files.includes(file))) return undefined;
    const target = freeName(mount, `${log}.${reason}`);
    // The log first: as long as the mark is there without it, it is found to be damaged, and put aside again.
    mount.rename(log, target);
    mount.rename(mark, `${target}-mark`);
    await mount.sync();
    return target;
  }

  #opened(): Map<string, SimulatedLog> {
    const known = openLogs.get(this.#disk) ?? new Map<string, SimulatedLog>();
    openLogs.set(this.#disk, known);
    return known;
  }

  #requireClosed(): void {
    if (this.#opened().get(this.#files.log)?.isOpen === true) throw new StorageLockedError(this.description);
  }
}

function freeName(mount: SimulatedMount, start: string): string {
  let count = 1;
  while (mount.files.includes(`${start}-${count}`)) count++;
  return `${start}-${count}`;
}
