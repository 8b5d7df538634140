// SPDX-License-Identifier: Apache-2.0
// A gateway process on @discordjs/ws 2, all shards in one process (its default strategy).
import { REST } from '@discordjs/rest';
import { CompressionMethod, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import { forwarder, settings } from './forward.mjs';

const forward = forwarder(settings.handler, settings.url);
const rest = new REST({ version: '10', api: `${settings.rest}/api` }).setToken(settings.token);
const manager = new WebSocketManager({
  token: settings.token,
  intents: settings.intents,
  rest,
  shardCount: settings.shards,
  compression: settings.compression === 'none' ? null : CompressionMethod.ZlibNative,
});
manager.on(WebSocketShardEvents.Dispatch, (payload, shardId) => { forward(shardId, payload); });
manager.on(WebSocketShardEvents.Error, (error) => console.error(error));
await manager.connect();
