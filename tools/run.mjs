// The one entry of every `npm run …` and `npm test`: sets the workspace up where needed, then runs the task.
// No dependencies, and this file keeps to syntax that an old Node can parse, so that it can say what is wrong.

const oldestMajor = 16;
const major = Number(process.versions.node.split('.')[0]);

if (major < oldestMajor) {
  console.error(
    `mosaik: Node ${process.versions.node} cannot set the workspace up; install Node 24 or newer.`,
  );
  process.exitCode = 1;
} else {
  // Not a top-level await, which an old Node cannot parse; main() reports its own failures.
  void import('./setup/main.mjs').then((setup) => setup.main(process.argv.slice(2)));
}
