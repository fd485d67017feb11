/** Everything of ours that follows is as it is published: it must be built before it is loaded. */
import { buildPackages } from './published/build.ts';

await buildPackages();
await import('./published/hooks.ts');
const { main } = await import('./bench.ts');
await main(process.argv.slice(2));
