/** The thread that writes. Appends that have arrived while the disk was busy are one transaction, with one fsync. */
import { type Reply, type Request, serve } from '@mosaik/groups/sqlite-kit';
import { invariant } from '@mosaik/primitives';
import { type Failure, failureOf } from '../failure.ts';
import {
  type AppendWork,
  CHECKPOINT_BYTES,
  HEAD_NUMBERS,
  type WriterValue,
  type WriterWork,
} from '../messages.ts';
import { StoreDatabase } from './store-database.ts';

/** Of one transaction. */
const TRANSACTION_BYTES_MAX = 8 * 1024 * 1024;

type WriterRequest = Request<WriterWork>;
type WriterReply = Reply<WriterValue, Failure>;

let opened: StoreDatabase | undefined;
/** Nothing is written any more: what of the failed transaction is on the disk, nobody knows. */
let broken: Failure | undefined;
/** Logs of which something was not written: nothing is appended to them until they are opened again. */
const failedLogs = new Map<number, Failure>();
let checkpointBytes = CHECKPOINT_BYTES;
let bytesToCheckpoint = 0;

serve<WriterWork, WriterValue, Failure>((requests, reply) => {
  for (const group of groupsOf(requests)) {
    reply(answer(group));
    checkpointIfDue();
  }
});

/** Appends in a row go together, everything else goes alone. */
function* groupsOf(requests: readonly WriterRequest[]): Generator<readonly WriterRequest[], void, void> {
  let appends: WriterRequest[] = [];
  let bytes = 0;
  for (const request of requests) {
    const isAppend = request.work.kind === 'append';
    if (appends.length > 0 && (!isAppend || bytes > TRANSACTION_BYTES_MAX)) {
      yield appends;
      appends = [];
      bytes = 0;
    }
    if (request.work.kind === 'append') {
      appends.push(request);
      bytes += request.work.bytes.length;
    } else yield [request];
  }
  if (appends.length > 0) yield appends;
}

function answer(group: readonly WriterRequest[]): readonly WriterReply[] {
  const [{ id, work }] = group as readonly [WriterRequest];
  if (work.kind === 'append') return appendAll(group as readonly Request<AppendWork>[]);
  try {
    if (broken !== undefined && work.kind !== 'close') return [{ id, failure: broken }];
    return [{ id, value: perform(work) }];
  } catch (thrown) {
    return [{ id, failure: undo(thrown, work.kind) }];
  }
}

function appendAll(requests: readonly Request<AppendWork>[]): readonly WriterReply[] {
  const failures = requests.map(({ work }) => broken ?? failureBefore(work));
  const works = requests.map(({ work }) => work).filter((_, index) => failures[index] === undefined);
  let failure: Failure | undefined;
  try {
    if (works.length > 0) database().append(works);
    for (const { bytes } of works) bytesToCheckpoint += bytes.length;
  } catch (thrown) {
    failure = undo(thrown, 'append');
    for (const work of works) for (const log of logsOf(work)) failedLogs.set(log, failure);
  }
  return requests.map(({ id }, index) => {
    const own = failures[index] ?? failure;
    return own === undefined ? { id, value: undefined } : { id, failure: own };
  });
}

function failureBefore(work: AppendWork): Failure | undefined {
  const before = logsOf(work).map((log) => failedLogs.get(log));
  const failure = before.find((candidate) => candidate !== undefined);
  // What goes together fails together: a log that lost a block must not get the next one.
  if (failure !== undefined) for (const log of logsOf(work)) failedLogs.set(log, failure);
  return failure;
}

function logsOf({ heads }: AppendWork): number[] {
  return Array.from({ length: heads.length / HEAD_NUMBERS }, (_, block) => heads[block * HEAD_NUMBERS] ?? 0);
}

function undo(thrown: unknown, kind: WriterWork['kind']): Failure {
  const failure = failureOf(thrown);
  if (kind === 'open') return failure;
  // The write-ahead log may have room to begin anew, and the database pages that are free.
  if (failure.kind === 'full') bytesToCheckpoint = checkpointBytes;
  if (failure.kind === 'io' || (kind === 'append' && failure.kind !== 'full')) broken = failure;
  try {
    opened?.rollBack();
  } catch (second) {
    broken = failureOf(second);
  }
  return failure;
}

function perform(work: Exclude<WriterWork, AppendWork>): WriterValue {
  switch (work.kind) {
    case 'open':
      opened = new StoreDatabase(work);
      checkpointBytes = work.checkpointBytes ?? CHECKPOINT_BYTES;
      return opened.logs;
    case 'begin':
      return database().begin(work.identity, work.isOwn);
    case 'verify':
      failedLogs.delete(work.log);
      return database().verify(work.log);
    case 'trim':
      return database().trim(work.log, work.below);
    case 'remove':
      database().remove(work.log);
      return undefined;
    case 'sweep':
      return sweep();
    case 'stage':
      return database().stage();
    case 'discard':
      database().discard(work.snapshot);
      return undefined;
    case 'chunk':
      bytesToCheckpoint += work.bytes.length;
      database().putChunk(work.snapshot, work.position, work.bytes);
      return undefined;
    case 'save':
      database().save(work.fold, { number: work.snapshot, chunks: work.chunks, bytes: work.bytes });
      return undefined;
    case 'close':
      close();
      return undefined;
  }
}

/** For the next store. */
function close(): void {
  opened?.close();
  opened = undefined;
  broken = undefined;
  failedLogs.clear();
  bytesToCheckpoint = 0;
}

function sweep(): WriterValue {
  try {
    return database().sweep() ? 'more' : undefined;
  } catch (thrown) {
    // Nobody waits for it, and what is kept is not touched by it.
    database().stopSweeping();
    throw thrown;
  }
}

function checkpointIfDue(): void {
  if (bytesToCheckpoint < checkpointBytes || opened === undefined || broken !== undefined) return;
  bytesToCheckpoint = 0;
  try {
    opened.checkpoint();
  } catch (thrown) {
    const failure = failureOf(thrown);
    // The write-ahead log has everything, and grows until there is room again, or until readers let go of it.
    if (failure.kind !== 'full' && failure.kind !== 'locked') broken = failure;
  }
}

function database(): StoreDatabase {
  invariant(opened !== undefined, 'the store is opened first, and not used after it was closed');
  return opened;
}
