import { createServer } from 'node:http';
import { createHmac, timingSafeEqual } from 'node:crypto';

const { HANDLER_SECRET, SIGNING_KEY, REDIS_URL, PORT = '8080' } = process.env;

// The newest keys, and whether the work on them is done. A Map remembers the order of insertion.
class Seen {
  keys = new Map();
  constructor(size = 100_000) { this.size = size; }
  begin(key) {
    if (this.keys.has(key)) return this.keys.get(key);
    this.keys.set(key, 'working');
    if (this.keys.size > this.size) this.keys.delete(this.keys.keys().next().value);
    return 'new';
  }
  finish(key) { this.keys.set(key, 'done'); }
  forget(key) { this.keys.delete(key); }
}

// The same for several processes, for a day.
async function seenInRedis(url) {
  const { createClient } = await import('redis');
  const redis = createClient({ url });
  redis.on('error', (error) => console.error('redis:', error.message));
  await redis.connect();
  return {
    begin: async (key) => {
      if (await redis.set(`shardgate:${key}`, 'working', { NX: true, EX: 60 })) return 'new';
      return (await redis.get(`shardgate:${key}`)) === 'done' ? 'done' : 'working';
    },
    finish: (key) => redis.set(`shardgate:${key}`, 'done', { EX: 86_400 }),
    forget: (key) => redis.del(`shardgate:${key}`),
  };
}

const seen = REDIS_URL ? await seenInRedis(REDIS_URL) : new Seen();

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

// Your bot. Throwing means: not now, send it again.
async function handle(event, interaction) {
  console.log(event.t, interaction ?? '');
}

async function status(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!genuine(request.headers, body)) return 401;
  const key = request.headers['idempotency-key'];
  const known = await seen.begin(key);
  if (known !== 'new') return known === 'done' ? 204 : 503;
  try {
    await handle(JSON.parse(body).data, request.headers['x-shardgate-interaction']);
    await seen.finish(key);
    return 204;
  } catch (error) {
    console.error('failed:', key, error.message);
    await seen.forget(key); // it comes again
    return 500;
  }
}

createServer(async (request, response) => {
  const code = await status(request).catch(() => 503); // Redis is away, or the body broke off: not now
  response.writeHead(code).end();
}).listen(Number(PORT), '127.0.0.1');
