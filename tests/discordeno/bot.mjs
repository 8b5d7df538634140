// SPDX-License-Identifier: Apache-2.0
// A Discordeno 21 bot process as such bots are laid out: events come in over HTTP, what is for the
// gateway goes to the gateway process. It knows nothing of shardgate. Beside that, a second port for
// the test (run.py): calls to make, and what was seen. STYLE is whose messages it speaks: "bigbot"
// (19 to 22), "guide" (the site's guide) or "template" (13 to 18); ENVELOPE the one shape of events it takes.
import { createServer } from 'node:http';
import { createBot, Intents, InteractionTypes } from '@discordeno/bot';

const { TOKEN, REST_URL, EVENT_SECRET, GATEWAY_SECRET, ENVELOPE, STYLE } = process.env;
let gatewayUrl; // known when the daemon has its port

const seen = { ready: [], guilds: [], messages: [], interactions: [], voice: [], servers: [],
  counts: {}, keys: [], refused: 0, answers: [], errors: [] };
const trouble = (error) => seen.errors.push(String(error?.cause ? JSON.stringify(error.cause) : error?.stack ?? error));
process.on('unhandledRejection', trouble);
process.on('uncaughtException', trouble);

const bot = createBot({
  token: TOKEN,
  intents: Intents.Guilds | Intents.GuildMembers | Intents.GuildMessages | Intents.GuildVoiceStates |
    Intents.MessageContent,
  desiredProperties: {
    user: { id: true, username: true },
    guild: { id: true, name: true, channels: true },
    channel: { id: true, name: true },
    message: { id: true, channelId: true, guildId: true, content: true, author: true },
    interaction: { id: true, token: true, type: true, data: true, user: true, guildId: true },
    voiceState: { guildId: true, channelId: true, userId: true, sessionId: true },
  },
  rest: { proxy: { baseUrl: REST_URL } },
  gateway: { cache: { requestMembers: { enabled: true } } },
  events: {
    raw: (frame) => { seen.counts[frame.t] = (seen.counts[frame.t] ?? 0) + 1; },
    ready: ({ shardId, guilds }) => seen.ready.push({ shardId, guilds: guilds.length }),
    guildCreate: ({ id, name, channels }) => seen.guilds.push({ id, name, channels: channels.size }),
    async messageCreate({ id, channelId, guildId, content, author }) {
      seen.messages.push({ id, channelId, guildId, content, author: author.id });
      const answer = await bot.helpers.sendMessage(channelId, { content: `you said ${id}` });
      seen.answers.push({ id: answer.id, content: answer.content });
    },
    async interactionCreate(interaction) {
      const { id, type, guildId, data } = interaction;
      seen.interactions.push({ id, type, guildId, name: data.name ?? data.customId });
      if (type === InteractionTypes.MessageComponent) return interaction.deferEdit();
      if (type === InteractionTypes.ApplicationCommandAutocomplete)
        return interaction.respond({ choices: [{ name: 'some', value: 'some' }] });
      return interaction.respond('pong');
    },
    voiceStateUpdate: ({ guildId, channelId, userId, sessionId }) =>
      seen.voice.push({ guildId, channelId: channelId ?? null, userId, sessionId }),
    voiceServerUpdate: ({ guildId, endpoint, token }) => seen.servers.push({ guildId, endpoint, token }),
  },
});

async function askGateway(message, { method = 'POST', path = '', secret = GATEWAY_SECRET } = {}) {
  const answer = await fetch(gatewayUrl + path, {
    method, headers: { 'Content-Type': 'application/json', Authorization: secret },
    body: message && JSON.stringify(message),
  });
  return { status: answer.status, body: await answer.json() };
}

// What such bots replace in Discordeno's gateway manager; all else of it is as the package has it.
const tell = async (message) => {
  const { status, body } = await askGateway(message);
  if (status !== 200) throw new Error(`the gateway process answered ${status}: ${JSON.stringify(body)}`);
  return body;
};
const template = STYLE === 'template';
bot.gateway.sendPayload = async (shardId, payload) => {
  await tell(template ? { type: 'SHARD_PAYLOAD', shardId, data: payload }
    : { type: 'ShardPayload', shardId, payload });
};
bot.gateway.editBotStatus = async (status) => {
  if (!template) await tell({ type: 'EditShardsPresence', payload: status });
  else for (const { shardId } of await tell({ type: 'GET_SHARD_INFO' })) await bot.gateway.editShardStatus(shardId, status);
};
if (STYLE === 'guide')
  bot.gateway.requestMembers = (guildId, options) => new Promise((resolve, reject) => {
    const nonce = `guide-${Math.random()}`.slice(0, 32);
    bot.gateway.cache.requestMembers.pending.set(nonce, { nonce, resolve, members: [] });
    tell({ type: 'REQUEST_MEMBERS', guildId, options: { ...options, nonce } }).catch(reject);
  });

const listen = (answer) => new Promise((resolve) => {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const [status, body] = await answer(request, Buffer.concat(chunks).toString());
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(status === 204 ? undefined
      : JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? value.toString() : value)));
  }).listen(0, '127.0.0.1', () => resolve(server.address().port));
});

const events = await listen(async ({ headers }, text) => {
  const body = JSON.parse(text);
  const frame = body[ENVELOPE];
  if (headers.authorization !== EVENT_SECRET || frame === undefined || Object.keys(body).length !== 2) {
    seen.refused += 1;
    return [401, { message: 'Credentials or shape not valid.' }];
  }
  seen.keys.push(headers['idempotency-key']);
  try { // answered at once, handled meanwhile: as these bots do
    bot.events.raw?.(frame, body.shardId);
    if (frame.t) bot.handlers[frame.t]?.(bot, frame, body.shardId)?.catch?.(trouble);
    return ENVELOPE === 'data' ? [204] : [200, {}];
  } catch (error) {
    trouble(error);
    return [500, { message: String(error) }];
  }
});

const calls = {
  seen: () => seen,
  gateway: (url) => { gatewayUrl = url; },
  ask: askGateway,
  editBotStatus: (status) => bot.gateway.editBotStatus(status),
  editShardStatus: (shardId, status) => bot.gateway.editShardStatus(shardId, status),
  joinVoice: (guild, channel, options) => bot.gateway.joinVoiceChannel(BigInt(guild), BigInt(channel), options),
  leaveVoice: (guild) => bot.gateway.leaveVoiceChannel(BigInt(guild)),
  requestMembers: (guild, options) => bot.gateway.requestMembers(guild, options),
  sounds: (guilds) => bot.gateway.requestSoundboardSounds(guilds),
};
const control = await listen(async (_, text) => {
  const { call, args = [] } = JSON.parse(text);
  try {
    return [200, { result: (await calls[call](...args)) ?? null }];
  } catch (error) {
    return [500, { error: String(error?.message ?? error) }];
  }
});
console.log(`the bot listens: ${events} ${control}`);
