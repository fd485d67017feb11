// What `npm run sim -- --help` says.

export const simulationHelp = `Runs the simulations at full length.

  npm run sim -- [options] [files or folders …]

  --seeds N     so many seeds instead of each simulation's own number
  --seed FIRST  from this one on; else the first follows from the commit
  -t PATTERN    only tests whose name matches; whatever else vitest takes goes to it

Without files or folders all simulations run, and N is for the swarms: those over the core of Raft, over whole
nodes with groups, over bonds, streams and stores run N seeds each. What takes many times as long for each seed, the
hour of churn over whole networks and members that catch up late, runs one for each 20 of these, at least one.
So \`npm run sim -- --seeds 1000\` runs 1,000 seeds of each swarm and 50 hours of churn. Where files or folders are
named, all of them run N seeds:

  npm run sim -- --seeds 25 packages/integration/test/churn

Simulations that take no seeds (processes that are killed, damaged disks, thousands of random inputs) run at the
length of their promise, whatever N is. A seed that fails prints the command that runs it again.
`;
