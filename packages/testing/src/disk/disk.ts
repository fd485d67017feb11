import { ClosedError, InvalidArgumentError, MosaikError, type Runtime, randomInt } from '@mosaik/primitives';
import type { Host } from '../world/host.ts';
import { DiskImage, type DiskWrite } from './image.ts';

/** How a disk is made. */
export interface DiskOptions {
  /** Chance: what of an unsynced write survives a loss of power, where damage strikes. `world.runtime`. */
  readonly runtime: Pick<Runtime, 'random'>;
  /** How long a sync takes, in ms; default 1. */
  readonly syncMs?: number | (() => number) | undefined;
}

/** Where damage strikes; whatever is left out is drawn. */
export interface Damage {
  readonly file: string;
  /** The byte, from 0. */
  readonly offset: number;
}

/**
 * The disk of a host: it survives the processes, and what was synced survives a loss of power. Of what was written after the
 * last sync, a loss of power keeps some first part, the last write of it cut anywhere; a kill keeps all.
 */
export interface Disk {
  readonly host: Host;
  /** Names of the files, sorted. */
  readonly files: readonly string[];
  /** Writes that a loss of power could take now. */
  readonly unsynced: number;
  /** The disk, for the process that runs now. What a process that ended still does to it has no effect. */
  mount(): DiskMount;
  /** What a file holds, as the next process would read it; undefined when there is none. */
  read(file: string): Uint8Array | undefined;
  /** Syncs, those under way too, do not end for a while, or until the host crashes. Does nothing when it is down. */
  stall(durationMs: number): void;
  /** Lets it hold no more bytes than these; undefined for no limit. */
  limit(bytesMax: number | undefined): void;
  /** Syncs that end from now on fail, until disposed. */
  failSyncs(): Disposable;
  /** Flips one bit of what is there; returns where, undefined when there is nothing to flip. */
  damage(at?: Partial<Damage>): Damage | undefined;
}

/** The disk as one process sees it. */
export interface DiskMount {
  /** Whether the process still runs that mounted it. */
  readonly isAlive: boolean;
  readonly files: readonly string[];
  /** What a file holds, or the bytes of it in [from, to), synced or not, in memory of its own. */
  read(file: string, from?: number, to?: number): Uint8Array | undefined;
  /** Writes at the end of a file, which is made where there is none. @throws {DiskError} `full` */
  append(file: string, bytes: Uint8Array): void;
  /** Writes a small file anew, in place: after a crash it is the old or the new one. @throws {DiskError} `full` */
  replace(file: string, bytes: Uint8Array): void;
  truncate(file: string, length: number): void;
  rename(file: string, to: string): void;
  remove(file: string): void;
  /** Resolves when all that was written before the call is durable. @throws {DiskError} `failed` */
  sync(): Promise<void>;
}

/** The disk has no room, or a sync failed. */
export class DiskError extends MosaikError {
  override readonly name = 'DiskError';
  readonly reason: 'full' | 'failed';

  constructor(reason: 'full' | 'failed') {
    super(reason === 'full' ? 'ERR_DISK_FULL' : 'ERR_DISK_FAILED', `the simulated disk: ${reason}`);
    this.reason = reason;
  }
}

/** Puts a disk into a host. */
export function createDisk(host: Host, options: DiskOptions): Disk {
  return new SimDisk(host, options);
}

class SimDisk implements Disk {
  readonly host: Host;
  readonly #options: DiskOptions;
  /** What reads see. */
  #cached = new DiskImage();
  /** What a loss of power leaves for certain. */
  readonly #durable = new DiskImage();
  /** Invariant: `#durable` and these are `#cached`. */
  #unsynced: DiskWrite[] = [];
  #stalledUntilMs = 0;
  #bytesMax = Number.POSITIVE_INFINITY;
  #failing = 0;

  constructor(host: Host, options: DiskOptions) {
    this.host = host;
    this.#options = options;
    host.onCrash(({ mode }) => {
      this.#stalledUntilMs = 0;
      if (mode === 'powerLoss') this.#losePower();
    });
  }

  get files(): readonly string[] {
    return this.#cached.files;
  }

  get unsynced(): number {
    return this.#unsynced.length;
  }

  mount(): DiskMount {
    if (!this.host.isUp) throw new ClosedError(`host ${this.host.name} is down: its disk cannot be mounted`);
    const { incarnation } = this.host;
    const isAlive = (): boolean => this.host.isUp && this.host.incarnation === incarnation;
    const write = (change: DiskWrite): void => {
      if (isAlive()) this.#write(change);
    };
    const disk = this;
    return {
      get isAlive() {
        return isAlive();
      },
      get files() {
        return disk.files;
      },
      read: (file, from, to) => this.#cached.read(file)?.slice(from, to),
      append: (file, bytes) => write({ kind: 'append', file, bytes: bytes.slice() }),
      replace: (file, bytes) => write({ kind: 'replace', file, bytes: bytes.slice() }),
      truncate: (file, length) => write({ kind: 'truncate', file, length }),
      rename: (file, to) => write({ kind: 'rename', file, to }),
      remove: (file) => write({ kind: 'remove', file }),
      // Of a dead process no timer fires: its syncs just never end.
      sync: () => (isAlive() ? this.#sync() : new Promise<void>(() => {})),
    };
  }

  read(file: string): Uint8Array | undefined {
    return this.#cached.read(file)?.slice();
  }

  stall(durationMs: number): void {
    // The next process has a clock of its own: a crash ends a stall, and without a process there is none.
    if (!this.host.isUp) return;
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.host.runtime.now() + durationMs);
  }

  limit(bytesMax: number | undefined): void {
    this.#bytesMax = bytesMax ?? Number.POSITIVE_INFINITY;
  }

  failSyncs(): Disposable {
    this.#failing++;
    let isOn = true;
    return {
      [Symbol.dispose]: () => {
        if (isOn) this.#failing--;
        isOn = false;
      },
    };
  }

  damage(at: Partial<Damage> = {}): Damage | undefined {
    const files = this.files.filter((file) => (this.#cached.read(file)?.length ?? 0) > 0);
    const file = at.file ?? files[this.#draw(files.length)];
    const size = (file === undefined ? undefined : this.#cached.read(file))?.length ?? 0;
    if (file === undefined || size === 0) return undefined;
    const offset = at.offset ?? this.#draw(size);
    if (offset >= size) throw new InvalidArgumentError('offset', `below ${size}, the bytes of ${file}`);
    const mask = 1 << this.#draw(8);
    for (const image of [this.#cached, this.#durable]) flip(image.read(file), offset, mask);
    return { file, offset };
  }

  #write(change: DiskWrite): void {
    const added = 'bytes' in change ? change.bytes.length : 0;
    if (added > 0 && this.#cached.size + added > this.#bytesMax) throw new DiskError('full');
    this.#cached.apply(change);
    this.#unsynced.push(change);
  }

  #sync(): Promise<void> {
    const upTo = this.#unsynced.at(-1);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { syncMs = 1 } = this.#options;
    this.#after(typeof syncMs === 'function' ? syncMs() : syncMs, () => {
      if (this.#failing > 0) {
        reject(new DiskError('failed'));
        return;
      }
      this.#settle(upTo);
      resolve();
    });
    return promise;
  }

  #after(delayMs: number, callback: () => void): void {
    const { runtime } = this.host;
    runtime.setTimer(delayMs, () => {
      const leftMs = this.#stalledUntilMs - runtime.now();
      if (leftMs > 0) this.#after(leftMs, callback);
      else callback();
    });
  }

  /** Makes all writes up to one durable; an earlier sync may have done so already. */
  #settle(upTo: DiskWrite | undefined): void {
    const at = upTo === undefined ? -1 : this.#unsynced.indexOf(upTo);
    for (const write of this.#unsynced.splice(0, at + 1)) this.#durable.apply(write);
  }

  #losePower(): void {
    const survivors = this.#draw(this.#unsynced.length + 1);
    for (const write of this.#unsynced.slice(0, survivors)) this.#durable.apply(write);
    const cut = this.#unsynced[survivors];
    if (cut?.kind === 'append') {
      const bytes = cut.bytes.slice(0, this.#draw(cut.bytes.length + 1));
      this.#durable.apply({ ...cut, bytes });
    }
    this.#unsynced = [];
    this.#cached = this.#durable.copy();
  }

  /** A whole number in [0, count). */
  #draw(count: number): number {
    return count <= 1 ? 0 : randomInt(this.#options.runtime, count);
  }
}

function flip(bytes: Uint8Array | undefined, offset: number, mask: number): void {
  const byte = bytes?.[offset];
  if (bytes !== undefined && byte !== undefined) bytes[offset] = byte ^ mask;
}
