/** A disk as `createDisk` of `@mosaik/testing` makes it; here for what the log on it needs. */
export interface SimulatedDisk {
  readonly host: { readonly name: string };
  /** The disk, for the process that runs now. */
  mount(): SimulatedMount;
}

/** The disk as one process sees it. Writes throw, and a sync fails, with a `reason`: `full` or `failed`. */
export interface SimulatedMount {
  /** Whether the process still runs that mounted it. */
  readonly isAlive: boolean;
  readonly files: readonly string[];
  read(file: string, from?: number, to?: number): Uint8Array | undefined;
  append(file: string, bytes: Uint8Array): void;
  replace(file: string, bytes: Uint8Array): void;
  truncate(file: string, length: number): void;
  rename(file: string, to: string): void;
  sync(): Promise<void>;
}
