import type { Command } from 'commander';
import { bootstrap } from '../commands/bootstrap.ts';
import { type DoctorOptions, doctor } from '../commands/doctor.ts';
import { groups } from '../commands/groups.ts';
import { keygen } from '../commands/keygen.ts';
import { type PeersOptions, peers } from '../commands/peers.ts';
import { streams } from '../commands/streams.ts';
import { top } from '../commands/top.ts';
import { addNetworkOptions, addOutputOptions, positiveSeconds } from './options.ts';
import type { Runner } from './runner.ts';

const TOP_INTERVAL_MS = 1_000;

/** Commands that start a network, and look at it. */
export function addLookCommands(program: Command, run: Runner): void {
  addStartCommands(program, run);
  addListCommands(program, run);
  const drawn = program
    .command('top')
    .description(
      'Draws the live network: peers, tags, what flows between them, groups with leader, term and lag',
    )
    .option('--interval <seconds>', 'between two pictures', positiveSeconds, TOP_INTERVAL_MS)
    .option('--once', 'one picture, and the end; so it is, too, where the output is no terminal')
    .action((options: { interval: number; once?: boolean }, command: Command) =>
      run(command, (context) => top(context, { ...options, intervalMs: options.interval })),
    );
  addNetworkOptions(drawn);
  const asked = program
    .command('doctor')
    .description(
      'Says why something is not connected: addresses, network, catalog, tags, streams, groups, in this order',
    )
    .argument('[peer]', 'a peer that is missed: its id, or the beginning of it')
    .option('--stream <name>', 'a stream that does not flow')
    .option('--with-tag <tag>', 'a role that the peer should have')
    .addHelpText('after', '\nExit code 0 when all is well, 1 when something is wrong.')
    .action((peer: string | undefined, options: DoctorOptions, command: Command) =>
      run(command, (context) => doctor(context, { ...options, ...(peer === undefined ? {} : { peer }) })),
    );
  addNetworkOptions(asked);
}

function addStartCommands(program: Command, run: Runner): void {
  const made = program
    .command('keygen')
    .description('Makes the secret key of a node, so that it stays the same when it starts again')
    .argument('[file]', 'where to put it; only its owner can read it', 'mosaik.key')
    .option('--force', 'overwrite a key that is there')
    .action((file: string, options: { force?: boolean }, command: Command) =>
      run(command, (context) => keygen(context, { file, ...options })),
    );
  addOutputOptions(made);
  const started = program
    .command('bootstrap')
    .description('Starts a node that is only there, so that others find each other through it; until Ctrl-C')
    .addHelpText('after', '\nIt listens on port 4747 of every interface unless --listen says otherwise.')
    .action((_options: unknown, command: Command) => run(command, bootstrap));
  addNetworkOptions(started);
}

function addListCommands(program: Command, run: Runner): void {
  const listed = program
    .command('peers')
    .description('Lists who is in the network')
    .option('-w, --watch', 'then print who comes, changes and goes; until Ctrl-C')
    .option('--with-tag <tag>', 'only peers in this role')
    .action((options: PeersOptions, command: Command) => run(command, (context) => peers(context, options)));
  addNetworkOptions(listed);
  const named = program
    .command('streams')
    .description('Lists the streams, with how many produce and consume them')
    .action((_options: unknown, command: Command) => run(command, streams));
  addNetworkOptions(named);
  const grouped = program
    .command('groups')
    .description('Lists the groups, with leader, term, what is committed and how far members lag')
    .action((_options: unknown, command: Command) => run(command, groups));
  addNetworkOptions(grouped);
}
