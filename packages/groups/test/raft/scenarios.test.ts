// Scripts with their full traces: each line that begins with `>` is a command, what follows is what came of it. After a
// wanted change `npm test -- --project groups packages/groups/test/raft -u` writes the traces anew; read the difference.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/raft/messages.ts';
import { bytes, Cluster, configuration, founded, id } from './cluster.ts';

const folder = join(import.meta.dirname, 'scenarios');

describe('the trace of', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    it(file.replace('.txt', ''), async () => {
      const path = join(folder, file);
      await expect(perform(readFileSync(path, 'utf8'))).toMatchFileSnapshot(path);
    });
  }
});

/** Runs the commands of a script, and returns it with what they give now. */
function perform(script: string): string {
  const cluster = new Cluster();
  const lines: string[] = [];
  for (const line of script.split('\n')) {
    if (line.startsWith('#')) lines.push(line);
    if (!line.startsWith('> ')) continue;
    const [command = '', ...words] = line.slice(2).split(' ');
    const act = commands[command];
    if (!act) throw new Error(`there is no command "${command}"`);
    cluster.trace.length = 0;
    const said = act(cluster, words);
    lines.push('', line, ...cluster.trace, ...(typeof said === 'string' ? [said] : []));
  }
  return `${lines.join('\n').trimStart()}\n`;
}

/** Does it, and says what there is to say besides the trace. */
type Command = (cluster: Cluster, words: string[]) => unknown;

const commands: Record<string, Command> = {
  founded(cluster, [names = '']) {
    for (const [name, node] of founded(names).nodes) cluster.nodes.set(name, node);
  },
  newcomer: (cluster, [name = '']) => cluster.add(name, {}),
  timeout: (cluster, [name = '']) => cluster.timeout(name),
  tick: (cluster, [name = '', count = '1']) => cluster.tick(name, Number(count)),
  deliver: (cluster, words) => cluster.deliver(filterOf(words)),
  drop: (cluster, words) => cluster.drop(filterOf(words)),
  hold: (cluster, [name = '']) => cluster.hold(name),
  sync: (cluster, [name = '']) => cluster.sync(name),
  crash: (cluster, [name = '']) => cluster.crash(name),
  propose: (cluster, [name = '', ...commands]) =>
    said(cluster.input(name, (raft) => raft.propose(commands.map(bytes)))),
  configure: (cluster, [name = '', voters = '', learners = '']) =>
    said(cluster.input(name, (raft) => raft.proposeConfiguration(configuration(voters, learners)))),
  read: (cluster, [name = '', context = '']) =>
    said(cluster.input(name, (raft) => raft.requestRead(Number(context)))),
  transfer: (cluster, [name = '', to = '']) =>
    said(cluster.input(name, (raft) => raft.transferLeadership(id(to)))),
};

/** `a>b` is what is on its way from a to b; nothing is everything. */
function filterOf(words: readonly string[]): (message: Message) => boolean {
  if (words.length === 0) return () => true;
  return ({ from, to }) => words.includes(`${from}>${to}`);
}

function said(result: { readonly ok: boolean; readonly reason?: string }): string | undefined {
  return result.ok ? undefined : `refused: ${result.reason}`;
}
