// SPDX-License-Identifier: Apache-2.0
// The dashboard in a real browser, against a daemon that run.py has started: what a person sees and
// does. Ends with 0, or with what was not as it should be.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const { URL: url, TOKEN: token, CONTROL: control, HANDLER: handler, SHOTS: shots, MODULES: modules,
  CHROMIUM: browserPath } = process.env;
const patience = Number(process.env.PATIENCE ?? 1);
const { chromium } = createRequire(join(modules, "x.js"))("playwright-core");

const browser = await chromium.launch({ executablePath: browserPath,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
context.setDefaultTimeout(20000 * patience);
const page = await context.newPage();
const complaints = [];
page.on("console", (message) => {
  // A 401 and the 422 of a mistake that is made on purpose are said there too.
  if (message.type() === "error" && !/status of (401|422)/.test(message.text())) complaints.push(message.text());
});
page.on("pageerror", (error) => complaints.push(String(error)));
const asked = new Set();
page.on("request", (request) => {
  asked.add(new URL(request.url()).origin);
  assert.ok(!request.url().includes(token), "the token never stands in an address");
});

const text = (selector) => page.locator(selector).textContent();
const until = async (what, look, seconds = 30) => {
  const end = Date.now() + seconds * 1000 * patience;
  for (;;) {
    if (await look()) return;
    assert.ok(Date.now() < end, `in vain: ${what}`);
    await page.waitForTimeout(50);
  }
};
const shot = async (name, options = {}) => {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), ...options });
};
const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
const confirm = async (title) => {
  await until(`the dialog "${title}"`, async () => (await text("#ask-title")) === title);
  assert.ok(await page.locator("#ask").isVisible());
};
const status = async () =>
  (await fetch(`${url}/v1/status`, { headers: { Authorization: `Bearer ${token}` } })).json();
const steps = {};
const step = (name, run) => { steps[name] = run; };

step("the token is asked for, a wrong one is refused, the right one opens", async () => {
  await page.goto(url);
  await page.locator("#token").waitFor();
  await shot("dashboard-token");
  await page.fill("#token-input", "wrong");
  await page.keyboard.press("Enter");
  await until("the refusal", async () => /does not accept/.test(await text("#token-error")));
  await page.fill("#token-input", token);
  await page.click("#token button");
  await page.locator("#token").waitFor({ state: "hidden" });
  await until("sixteen shards", async () => (await page.locator(".cell").count()) === 16);
  assert.equal(await page.evaluate(() => document.cookie + JSON.stringify(localStorage)), "{}");
  assert.ok(!(await page.content()).includes(token), "the token is not in the page");
});

step("the grid shows states and latencies, and a shard in detail", async () => {
  await until("all to be ready", async () => (await page.locator('.cell[data-s="ready"]').count()) === 16);
  await until("latencies", async () => /\d ?(ms|µs)/.test(await text("#latency")));
  assert.match(await page.locator(".cell").nth(3).getAttribute("aria-label"), /^Shard 3: ready/);
  await page.locator(".cell").nth(0).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await until("shard 2", async () => /2 of 16, generation/.test((await text("#shard")) ?? ""));
  assert.equal(await page.locator('.cell[aria-current="true"]').count(), 1);
  await page.keyboard.press("Enter");
  assert.ok(await page.locator("#shard").isHidden());
});

step("rates, lag and budget are figures", async () => {
  await until("a rate", async () => Number(await text("#rate-in")) > 20 && Number(await text("#rate-out")) > 0);
  await until("a lag", async () => /(ms|µs|s)$/.test(await text("#lag-50")));
  assert.match(await text("#budget-sub"), /of 1,000/);
  assert.match(await text("#guilds"), /^200$/);
});

step("the live tail shows what is asked for", async () => {
  await page.fill("#tail-type", "message_create");
  await page.click("#tail-start");
  await page.locator("#tail > div").nth(5).waitFor();
  const names = await page.locator("#tail > div > span:nth-child(3)").allTextContents();
  assert.deepEqual([...new Set(names)], ["MESSAGE_CREATE"]);
  await page.click("#tail-start");
  await until("it to stop", async () => /^stopped/.test(await text("#tail-state")));
  await page.click("#tail-clear");
  await page.fill("#tail-type", "");
  await page.check("#tail-payload");
  await page.click("#tail-start");
  await page.locator("#tail .payload").nth(3).waitFor();
  await page.uncheck("#tail-payload");
  await page.click("#tail-start");
  await page.click("#tail-clear");
  await page.click("#tail-start");
  await page.locator("#tail > div").nth(20).waitFor();
  await shot("dashboard", { fullPage: true });
});

step("the handler is paused and resumed, after confirmation only", async () => {
  await page.click("#pause");
  await confirm("Pause the handler?");
  await page.click("#ask-no");
  await page.locator("#ask").waitFor({ state: "hidden" });
  assert.equal((await status()).handler.state, "up");
  await page.click("#pause");
  await page.click("#ask-yes");
  await until("the pause", async () => (await text("#handler-state")) === "paused");
  assert.equal((await status()).handler.state, "paused");
  await until("events to wait", async () => Number((await text("#queue-events")).replaceAll(",", "")) > 50);
  await until("a word about it", async () => /handler is paused/.test(await text("#warnings")));
  await shot("dashboard-paused");
  await page.click("#pause");
  await confirm("Resume the handler?");
  await page.click("#ask-yes");
  await until("the queue to empty", async () => Number((await text("#queue-events")).replaceAll(",", "")) < 20);
});

step("the handler is switched; what is no URL stays in the dialog", async () => {
  await page.click("#switch");
  await confirm("Switch the handler?");
  await page.fill("#ask-input", "ftp://nowhere/");
  await page.click("#ask-yes");
  await until("the reason", async () => (await text("#ask-error")).includes("urls[0]"));
  await page.fill("#ask-input", `${handler}/green\n`);
  await page.click("#ask-yes");
  await until("the new URL", async () => (await text("#urls")).includes("/green"));
  assert.deepEqual((await status()).handler.urls.map((u) => u.url), [`${handler}/green`]);
});

async function reshardTo(n) {
  await page.fill("#reshard-to", String(n));
  await page.click("#reshard-plan");
  await confirm("Start this resharding?");
  assert.match(await text("#ask-text"), new RegExp(`16 → ${n}`));
}

step("a resharding is planned, started, watched and aborted", async () => {
  await reshardTo(32);
  await shot("dashboard-plan");
  await page.click("#ask-yes");
  await until("progress", async () => page.locator("#reshard-bar").isVisible());
  await until("the new set's cells", async () => (await page.locator(".cell").count()) === 48);
  await page.click("#reshard-abort");
  await confirm("Abort the resharding?");
  await page.click("#ask-yes");
  await until("the abort", async () => /^Aborted: 16 → 32/.test(await text("#reshard-last")));
  await until("the old set alone", async () => (await page.locator(".cell").count()) === 16);
});

step("a resharding that is left alone comes to its end", async () => {
  await reshardTo(32);
  await page.click("#ask-yes");
  await until("the new set to load", async () => (await page.locator('.set:nth-child(2) .cell[data-s="ready"]').count()) >= 12);
  await shot("dashboard-resharding");
  await until("the end", async () => /^Done: 16 → 32/.test(await text("#reshard-last")), 120);
  await until("thirty-two shards", async () => (await page.locator(".cell").count()) === 32);
  assert.equal((await status()).shards.total, 32);
});

step("phone width and darkness", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(300);
  assert.ok(await fits(), "nothing sticks out to the right");
  await shot("dashboard-phone");
  await page.setViewportSize({ width: 320, height: 640 });
  assert.ok(await fits(), "nor on the smallest");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.waitForTimeout(300);
  await shot("dashboard-dark");
  assert.ok(await fits());
});

step("everything that can be used has a name", async () => {
  const nameless = await page.evaluate(() => [...document.querySelectorAll("button, input, textarea, meter, progress, svg[role]")]
    .filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.labels?.[0]?.textContent))
    .map((e) => e.outerHTML));
  assert.deepEqual(nameless, []);
  const stops = await page.locator('.cell[tabindex="0"]').count();
  assert.equal(stops, 1, "one tab stop for the grid");
});

step("a thousand shards", async () => {
  const figures = await page.evaluate(async (key) => {
    const answer = await fetch("v1/stats", { headers: { Authorization: `Bearer ${sessionStorage.getItem(key)}` } });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let got = "";
    while (!/data: .*\n\n/.test(got)) got += (await reader.read()).value;
    reader.cancel();
    return JSON.parse(got.match(/data: (.*)\n\n/)[1]);
  }, "shardgate-admin-token");
  const some = [4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 4, 5, 4, 4, 4, 2, 4, 4, 4, 1, 4, 0, 4, 4, 4, 4, 4, 4, 4, 4, 6];
  figures.sets = [{ generation: figures.status.generation, total: 1024,
    shards: Array.from({ length: 1024 }, (_, i) => [i, i < 700 ? 4 : some[(i * 7) % some.length], 40 + (i % 50), 900 + i % 99, i]) }];
  figures.status.shards = { total: 1024, first: 0, last: 1023, ready: 900 };
  await page.addInitScript((given) => {
    const really = window.fetch;
    window.fetch = (path, options) => {
      if (path !== "v1/stats" || !window.pretends) return really(path, options);
      let n = 0;
      const next = (to) => {
        given.status.uptime_s += 1;
        given.totals.received += 21000 + 2500 * Math.sin(n / 4) + 900 * Math.sin(n * 2.7);
        given.totals.accepted = given.totals.received - 12;
        given.totals.wire_bytes += 9e6;
        n += 1;
        to.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(given)}\n\n`));
      };
      const start = (to) => {
        for (let i = 0; i < 90; ++i) next(to);
        setInterval(() => next(to), 1000);
      };
      return Promise.resolve(new Response(new ReadableStream({ start })));
    };
    window.pretends = true;
  }, figures);
  await page.emulateMedia({ colorScheme: "light" });
  await page.reload();
  await until("1,024 cells", async () => (await page.locator(".cell").count()) === 1024);
  assert.equal(await page.locator('.cell[tabindex="0"]').count(), 1);
  assert.ok(await fits());
  await page.waitForTimeout(400);
  await shot("dashboard-1024");
});

step("the token is forgotten when asked", async () => {
  await page.click("#forget");
  await until("it to be gone", () => page.evaluate(() => sessionStorage.length === 0));
});

let failed = null;
for (const [name, run] of Object.entries(steps)) {
  try {
    await run();
    console.log(`ok: ${name}`);
  } catch (error) {
    failed = error;
    console.log(`not ok: ${name}: ${error.message}`);
    if (shots) await page.screenshot({ path: join(shots, "failed.png"), fullPage: true });
    break;
  }
}
await browser.close();
if (!failed) {
  assert.deepEqual(complaints, [], "the browser's console");
  assert.deepEqual([...asked], [new URL(url).origin], "hosts that were asked");
}
process.exit(failed ? 1 : 0);
