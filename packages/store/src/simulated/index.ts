/**
 * `@mosaik/store/simulated`: logs on a disk of a simulated host, for tests of whatever has to survive the end of a process. See
 * {@link LogDisk}.
 */
export { LogDisk } from './disk.ts';
