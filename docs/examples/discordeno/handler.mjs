// SPDX-License-Identifier: Apache-2.0
// A Discordeno 21 bot behind shardgate: npm install, then node handler.mjs. The gateway's work is
// shardgate's; Discordeno turns events into objects and talks to Discord's REST API. The rules it
// follows: docs/handlers.md.
import { createServer } from 'node:http';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createBot } from '@discordeno/bot';

const { DISCORD_TOKEN, HANDLER_SECRET, SIGNING_KEY, PORT = '8080' } = process.env;

const bot = createBot({
  token: DISCORD_TOKEN,
  desiredProperties: {
    interaction: { id: true, token: true, type: true, data: true },
    message: { id: true, channelId: true, content: true },
  },
  events: {
    messageCreate: (message) => console.log('MESSAGE_CREATE', message.id),
    async interactionCreate(interaction) {
      if (interaction.data?.name === 'ping') await interaction.respond('pong');
    },
  },
});

// The newest keys, and whether the work on them is done.
const seen = new Map();
function begin(key) {
  if (seen.has(key)) return seen.get(key);
  seen.set(key, 'working');
  if (seen.size > 100_000) seen.delete(seen.keys().next().value);
  return 'new';
}

function same(a, b) {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

function genuine(headers, body) {
  if (HANDLER_SECRET && !same(headers.authorization ?? '', HANDLER_SECRET)) return false;
  if (!SIGNING_KEY) return true;
  const stamp = headers['x-shardgate-timestamp'] ?? '';
  if (!/^\d+$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
  const wanted = 'v1=' + createHmac('sha256', SIGNING_KEY).update(`${stamp}.`).update(body).digest('hex');
  return (headers['x-shardgate-signature'] ?? '').split(',').some((one) => same(one.trim(), wanted));
}

async function status(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!genuine(request.headers, body)) return 401;
  const key = request.headers['idempotency-key'];
  const known = begin(key);
  if (known !== 'new') return known === 'done' ? 204 : 503;
  try {
    const { shardId, data } = JSON.parse(body);
    // Answered in this bot's place already: an answer would be refused.
    const answered = request.headers['x-shardgate-interaction'] !== undefined;
    bot.events.raw?.(data, shardId);
    if (!answered) await bot.handlers[data.t]?.(bot, data, shardId);
    seen.set(key, 'done');
    return 204;
  } catch (error) {
    console.error('failed:', key, error.message);
    seen.delete(key); // it comes again
    return 500;
  }
}

createServer(async (request, response) => {
  const code = await status(request).catch(() => 503); // the body broke off: not now
  response.writeHead(code).end();
}).listen(Number(PORT), '127.0.0.1');
