// A node that does nothing, as a user's program would start it: `program.mjs SYSTEM BOOTSTRAP`, ours, or a bare libp2p node. It is
// JavaScript, as it is copied to where the packages are as they are published. It answers as `reportReady` in child.ts does.

import { performance } from 'node:perf_hooks';

const MIB = 1024 * 1024;

/** Each loads only what it needs. */
const start = {
  async ours(bootstrap) {
    const { Network } = await import('mosaik');
    const listen = ['/ip4/127.0.0.1/tcp/0'];
    const node = await Network.create('bench', { listen, bootstrap: bootstrap === '' ? [] : [bootstrap] });
    return node.local.addresses.value[0];
  },
  /** As one would start it by its README: TCP, Noise, Yamux, all defaults. */
  async bare() {
    const [{ createLibp2p }, { tcp }, { noise }, { yamux }] = await Promise.all([
      import('libp2p'),
      import('@libp2p/tcp'),
      import('@chainsafe/libp2p-noise'),
      import('@chainsafe/libp2p-yamux'),
    ]);
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    });
    return node.getMultiaddrs()[0]?.toString();
  },
};

/** Does nothing for a while; the share of a core that took, in percent, and the memory in MiB at its end. */
async function idle(durationMs) {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  const { user, system } = process.cpuUsage(before);
  const elapsedMs = performance.now() - startedAt;
  return { cpuPercent: (user + system) / 10 / elapsedMs, rssMib: process.memoryUsage().rss / MIB };
}

const [system, bootstrap = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit(0));
process.on('message', async ({ numbers }) => process.send?.({ result: await idle(...numbers) }));
process.send?.(await start[system](bootstrap), undefined, undefined, (error) => {
  // The parent may be gone before it was ready.
  if (error !== null) process.exit(0);
});
