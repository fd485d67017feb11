/** One process of the demo. What it is told is in {@link NodeConfig}; the rest it finds out by itself. */
import { join } from 'node:path';
import process from 'node:process';
import { Network, shortId } from 'mosaik';
import type { Instruction, NodeConfig, Playing, Status } from './contract.ts';
import { type Journal, nowMs, openJournal } from './journal.ts';
import { match } from './roles/matcher.ts';
import { report } from './roles/reporter.ts';
import { trade } from './roles/trader.ts';

const STATUS_EVERY_MS = 50;

const config = JSON.parse(process.env['MOSAIK_DEMO'] ?? 'null') as NodeConfig;
const journal = openJournal(join(config.folder, `${config.name}.ndjson`));

// Ctrl-C goes to all processes of a terminal: the one that started this one says what happens then.
process.on('SIGINT', () => {});
const exit = (): void => process.exit(1);
process.on('disconnect', exit);

const startMs = nowMs();
const node = await Network.create(config.network, {
  secretKey: config.secretKey,
  listen: [config.listen],
  bootstrap: config.bootstrap === undefined ? [] : [config.bootstrap],
  tags: [config.role],
  preset: 'local',
});
const peer = shortId(node.local.peerId);
const [address = ''] = node.local.addresses.value;
journal.note({ kind: 'up', peer, address, createMs: nowMs() - startMs });
const playing = await play(node, config, journal);
const telling = setInterval(tell, STATUS_EVERY_MS);
let told = '';
let noted = '';

process.on('message', onInstruction);

function onInstruction(instruction: Instruction): void {
  if (instruction === 'finish') playing.finish?.();
  else void stop();
}

async function play(network: Network, { role }: NodeConfig, notes: Journal): Promise<Playing> {
  switch (role) {
    case 'beacon':
      return { status: () => ({}) };
    case 'matcher':
      return await match(network, config, notes);
    case 'trader':
      return await trade(network, config, notes);
    case 'reporter':
      return report(network, notes);
  }
}

function tell(): void {
  const { group, producers, ...counts } = playing.status();
  const peers = Array.from(node.discovery.catalog, (info) => shortId(info.peer)).sort();
  const topology = { peers, ...(group && { group }), ...(producers !== undefined && { producers }) };
  if (JSON.stringify(topology) !== noted) journal.note({ kind: 'topology', topology });
  noted = JSON.stringify(topology);
  const status: Status = { address, peer, topology, ...counts };
  const text = JSON.stringify(status);
  if (text !== told) process.send?.(status);
  told = text;
}

/** Leaves in an orderly way; the process then has nothing left to do, and ends. */
async function stop(): Promise<void> {
  clearInterval(telling);
  process.off('message', onInstruction);
  await playing.stop?.();
  const closingMs = nowMs();
  await node.close();
  journal.note({ kind: 'closed', closeMs: nowMs() - closingMs });
  process.off('disconnect', exit);
  process.disconnect?.();
}
