// SPDX-License-Identifier: Apache-2.0
// What a gateway process does with an event, the two ways there are in practice:
// "fetch": as Discordeno's guide for a standalone gateway shows it, one fetch for each event;
// "pool": a keep-alive pool of 64 connections, undici's own request() without what fetch adds.
import { Pool } from 'undici';

const SECRET = 'a secret of usual length, 40 characters';
const headers = { Authorization: SECRET, 'Content-Type': 'application/json' };

export function forwarder(kind, url) {
  if (kind === 'fetch')
    return async (shardId, data) => {
      await fetch(url, { headers, method: 'POST', body: JSON.stringify({ shardId, data }) })
        .then((res) => res.text())
        .catch(() => null);
    };
  if (kind !== 'pool') throw new Error(`no such handler: ${kind}`);
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 64 });
  return async (shardId, data) => {
    try {
      const { body } = await pool.request({ path: pathname, method: 'POST', headers,
        body: JSON.stringify({ shardId, data }) });
      await body.dump();
    } catch {
      // Lost, as with fetch; the simulator counts it.
    }
  };
}

// {handler, compression, token, intents, shards, rest, gateway, url}
export const settings = JSON.parse(process.argv[2]);
