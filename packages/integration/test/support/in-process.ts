import { createDiscovery } from '@mosaik/discovery';
import { type ConsensusOptions, createGroups, type Group, keyValue, type Storage } from '@mosaik/groups';
import { addressOf, startNode } from './nodes.ts';

/** What a member of a group of texts can be asked. */
export type Texts = Group<{ put: string; value: string }, unknown, { get: string }, unknown>;

/** A node in this process that may join the group. */
export interface LocalNode {
  readonly address: string;
  join(storage?: Storage, consensus?: ConsensusOptions): Promise<Texts>;
  close(): Promise<void>;
}

/** Starts a node that knows these others. */
export async function startLocalNode(name: string, others: readonly LocalNode[]): Promise<LocalNode> {
  const transport = await startNode({ secretKey: name });
  const discovery = await createDiscovery({ transport, bootstrap: others.map(({ address }) => address) });
  const groups = createGroups({ transport, discovery });
  return {
    address: addressOf(transport),
    join: async (storage, consensus) =>
      (await groups.join({
        key: 'in one process',
        machine: keyValue<string>(),
        storage,
        consensus,
      })) as unknown as Texts,
    close: async () => {
      await groups.close();
      await discovery.close();
      await transport.close();
    },
  };
}
