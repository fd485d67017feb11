/**
 * A pool of workers that loses no job. The jobs are in a state machine that the workers replicate: each takes one, does it, and says
 * so. When a worker dies, the leader puts back what it had taken, and another does it. Started without arguments this program starts
 * three of itself, and kills one in the middle of a job.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandRejectedError, machine, Network, type PeerId } from 'mosaik';

const JOBS = Array.from({ length: 12 }, (_, index) => `job ${index + 1}`);
const WORKERS = 3;
const ADDRESS = `/ip4/127.0.0.1/tcp/${process.env['PORT'] ?? 0}`;

type Command = { take: PeerId } | { done: string; by: PeerId } | { putBack: PeerId };
type Told = { readonly job?: string | null; readonly voters?: number; readonly done?: readonly string[] };
interface Jobs {
  waiting: string[];
  readonly taken: Map<string, PeerId>;
  readonly done: string[];
}

const Pool = machine({
  signature: 'examples.pool/1',
  initial: (): Jobs => ({ waiting: [...JOBS], taken: new Map(), done: [] }),
  apply({ waiting, taken, done }: Jobs, command: Command): string | null {
    if ('take' in command) {
      const job = waiting.shift() ?? null;
      if (job !== null) taken.set(job, command.take);
      return job;
    }
    if ('done' in command) {
      // Somebody who was taken for dead comes too late: the job is another's by now.
      if (taken.get(command.done) !== command.by) throw new CommandRejectedError('not-yours');
      taken.delete(command.done);
      done.push(command.done);
      return null;
    }
    for (const [job, worker] of taken)
      if (worker === command.putBack && taken.delete(job)) waiting.unshift(job);
    return null;
  },
  query: ({ taken, done }: Jobs, _query: null) => ({ taken: [...taken.values()], done: [...done] }),
});

async function work(isFirst: boolean): Promise<void> {
  const node = await Network.create('pool', {
    preset: 'local',
    listen: [isFirst ? ADDRESS : '/ip4/127.0.0.1/tcp/0'],
    bootstrap: isFirst ? [] : [ADDRESS],
  });
  const consensus = { founders: WORKERS };
  const group = await node.groups.join({ key: 'of the pool', machine: Pool, consensus });
  const me = node.local.peerId;
  const state = async () => (await group.query(null, 'weak')).result;
  /** The leader puts back what is taken by nobody who is there. */
  const tidy = async (): Promise<void> => {
    const gone = (await state()).taken.filter((by) => by !== me && !node.discovery.catalog.has(by));
    for (const worker of group.stats.role === 'leader' ? gone : []) await group.execute({ putBack: worker });
  };
  process.on('disconnect', () => process.exit(1));
  await group.when().online();
  while ((await state()).done.length < JOBS.length) {
    await tidy();
    const { result: job } = await group.execute({ take: me });
    process.send?.({ job, voters: group.stats.voters.length });
    await sleep(job === null ? 50 : 200); // the work itself
    if (job !== null) await group.execute({ done: job, by: me }).catch(() => {});
  }
  process.send?.({ done: (await state()).done });
  await node.close();
  process.exit();
}

async function main(): Promise<void> {
  const PORT = String(20_000 + Math.floor(Math.random() * 20_000));
  const workers = Array.from({ length: WORKERS }, (_, index) =>
    fork(import.meta.filename, [String(index)], { env: { ...process.env, PORT } }),
  );
  const victim = workers.pop() as ChildProcess;
  const ready = new Set<ChildProcess>();
  // None can be missed before the others know that all three vote.
  for (const worker of workers)
    worker.on('message', (told: Told) => told.voters === WORKERS && ready.add(worker));
  victim.on('message', ({ job }: Told) => job && ready.size === workers.length && victim.kill('SIGKILL'));
  const [[, signal], ...results] = await Promise.all([once(victim, 'exit'), ...workers.map(resultOf)]);
  console.log(`one was ended in the middle of a job by ${signal}`);
  for (const done of results)
    console.log(`${done.length} jobs done, each once: ${new Set(done).size === JOBS.length}`);
}

async function resultOf(worker: ChildProcess): Promise<readonly string[]> {
  for (;;) {
    const [{ done }] = (await once(worker, 'message')) as [Told];
    if (done !== undefined) return done;
  }
}

await (process.argv[2] === undefined ? main() : work(process.argv[2] === '0'));
