/** The workers of this process, shared by its logs: a log keeps to one, a few serve many. */
import { ClosedError } from '@mosaik/primitives';
import { programBeside, WorkerClient } from '../sqlite-kit/index.ts';
import { errorOf, type Failure } from './failure.ts';
import type { Value, Work, WorkerWork } from './messages.ts';

/** An fsync waits for the disk, not for a core; beyond a few, more at once make none of them quicker. */
const WORKERS_MAX = 4;

/** The end of a log at its worker. */
export interface WorkerPort {
  /** Sends work; what is sent in one turn goes together. `transfer` must not be used any more. */
  send(work: Work, transfer?: ArrayBuffer): Promise<Value>;
  /** Gives back the place in the pool. */
  release(): void;
}

/** A worker and how many logs it has. */
interface PooledWorker {
  readonly client: WorkerClient<WorkerWork, Value, Failure>;
  logs: number;
}

const workers: PooledWorker[] = [];
let lastLog = 0;

/** A place at the worker with the fewest logs. */
export function acquirePort(where: string): WorkerPort {
  for (const dead of workers.filter(({ client }) => client.hasFailed))
    workers.splice(workers.indexOf(dead), 1);
  const worker = chooseWorker();
  const log = ++lastLog;
  let isHeld = true;
  worker.logs++;
  const toError = (failure: Failure): Error => errorOf(where, failure);
  return {
    send: (work, transfer) =>
      isHeld
        ? worker.client.send({ log, ...work }, { toError, transfer: transfer && [transfer] })
        : Promise.reject(new ClosedError('the log is closed')),
    release: () => {
      if (isHeld) worker.logs--;
      isHeld = false;
    },
  };
}

function chooseWorker(): PooledWorker {
  const [least] = workers.toSorted((a, b) => a.logs - b.logs);
  if (least !== undefined && (least.logs === 0 || workers.length >= WORKERS_MAX)) return least;
  const client = new WorkerClient<WorkerWork, Value, Failure>(
    programBeside(import.meta.url, './worker'),
    'mosaik-log',
  );
  const worker = { client, logs: 0 };
  workers.push(worker);
  return worker;
}
