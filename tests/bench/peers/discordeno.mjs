// SPDX-License-Identifier: Apache-2.0
// A gateway process on @discordeno/gateway 21. The payload is left as Discord sent it
// (preferSnakeCase): turning every key into camelCase would only cost more.
import { createGatewayManager } from '@discordeno/gateway';
import { forwarder, settings } from './forward.mjs';

const forward = forwarder(settings.handler, settings.url);
const gateway = createGatewayManager({
  token: settings.token,
  intents: settings.intents,
  transportCompression: settings.compression === 'none' ? null : settings.compression,
  totalShards: settings.shards,
  spawnShardDelay: 0,
  preferSnakeCase: true,
  resharding: { enabled: false },
  connection: {
    url: settings.gateway,
    shards: settings.shards,
    sessionStartLimit: { maxConcurrency: settings.shards, remaining: 1000, total: 1000, resetAfter: 86400000 },
  },
  events: {
    message: (shard, payload) => { if (payload.op === 0) forward(shard.id, payload); },
  },
});
await gateway.spawnShards();
