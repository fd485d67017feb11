/** A process that has to do with nobody, and computes all the time that it gets. */
import { reportReady } from '../../child.ts';

const TURN_MS = 5;

reportReady('');
const spin = (): void => {
  const startedAt = performance.now();
  while (performance.now() - startedAt < TURN_MS);
  setImmediate(spin);
};
spin();
