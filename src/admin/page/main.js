// SPDX-License-Identifier: Apache-2.0
// The page: one stream of figures a second from GET /v1/stats, shown in place; rates are differences
// of the daemon's own counters over its own clock.
import { stream, token } from "./api.js";
import { showHandler, showQueue, showReshard, startPanels } from "./panels.js";
import { showShards } from "./shards.js";
import { startTail } from "./tail.js";
import { $, bytes, count, make, ms, plural, rate, set, span, tone } from "./text.js";

const history = []; // {in, out} a second, the last two minutes
const longest = 120, shortest = 20;
let before = null;

function rates(figures) {
  const now = { at: figures.status.uptime_s, ...figures.totals };
  const was = before;
  before = now;
  if (!was || now.at <= was.at) {
    history.length = 0;
    return null; // the first ones, or a new process
  }
  const per = (name) => Math.max(0, now[name] - was[name]) / (now.at - was.at);
  return {
    in: per("received"), out: per("accepted"), filtered: per("filtered"),
    failed: per("failed") + per("timeout") + per("refused"), wire: per("wire_bytes"),
  };
}

function chart() {
  const most = Math.max(1, ...history.map((h) => Math.max(h.in, h.out)));
  const wide = Math.max(history.length, shortest);
  const x = (i) => (240 * (wide - history.length + i)) / (wide - 1);
  const y = (n) => 39 - (36 * n) / most;
  const points = (name) => history.map((h, i) => `${x(i).toFixed(1)} ${y(h[name]).toFixed(1)}`).join("L");
  if (history.length < 2) return;
  $("chart-area").setAttribute("d", `M${x(0).toFixed(1)} 40L${points("in")}L240 40Z`);
  $("chart-in").setAttribute("d", `M${points("in")}`);
  $("chart-out").setAttribute("d", `M${points("out")}`);
}

function showRates(r) {
  if (!r) return;
  history.push(r);
  if (history.length > longest) history.shift();
  set("rate-in", rate(r.in));
  set("rate-out", rate(r.out));
  set("rate-failed", r.failed > 0 ? `${rate(r.failed)} /s not taken` : `${rate(r.filtered)} /s filtered`);
  set("traffic", `${bytes(Math.round(r.wire))}/s on the wire`);
  chart();
}

function showSummary(status) {
  const { ready, total, first, last } = status.shards;
  const here = total === 0 ? 0 : last - first + 1;
  const all = here > 0 && ready === here;
  set("summary", status.waiting_for && !all ? `waiting for ${status.waiting_for}`
    : all ? `all ${plural(here, "shard")} ready` : `${count(ready)} of ${plural(here, "shard")} ready`);
  tone("summary", all && status.handler.state === "up" ? "good" : ready >= 0.9 * here && here > 0 ? "warn" : "bad");
  set("version", status.version);
  set("uptime", `· up ${span(Math.round(status.uptime_s))}`);
  const notes = [...status.warnings];
  if (status.waiting_for && all) notes.push(`Waiting for ${status.waiting_for}.`);
  if (status.handler.state === "down") notes.push("The handler is down: events wait in the queue.");
  if (status.handler.state === "paused") notes.push("The handler is paused: events wait in the queue.");
  const list = $("warnings");
  if ([...list.children].map((c) => c.textContent).join("\n") !== notes.join("\n"))
    list.replaceChildren(...notes.map((note) => make("li", note)));
  list.hidden = notes.length === 0;
  document.title = all ? "shardgate" : `(${ready}/${here}) shardgate`;
}

function showFigures({ status, lag }) {
  set("lag-50", ms(lag.p50_ms));
  set("lag-99", ms(lag.p99_ms));
  const { queue, session_start_limit: limit } = status;
  const waiting = queue.events + queue.spooled_events;
  set("queue-events", count(waiting));
  set("queue-sub", waiting === 0 ? "nothing waits" : `${bytes(queue.bytes + queue.spooled_bytes)}, oldest ${span(queue.oldest_age_s)}`);
  set("guilds", count(status.guilds));
  set("budget", count(limit.remaining));
  const reset = limit.reset_after_s > 0 ? `, reset in ${span(limit.reset_after_s)}` : "";
  set("budget-sub", limit.total ? `of ${count(limit.total)}${reset}` : "not known yet");
  const meter = $("budget-meter");
  meter.max = Math.max(1, limit.total);
  meter.low = limit.total * 0.2;
  meter.high = limit.total * 0.5;
  meter.optimum = meter.max;
  meter.value = limit.remaining;
}

function show(figures) {
  showSummary(figures.status);
  showRates(rates(figures));
  showFigures(figures);
  showShards(figures);
  showHandler(figures.status);
  showReshard(figures.reshard);
  showQueue(figures.status);
}

function live(state, text) {
  $("live").dataset.state = state;
  set("live-text", text);
}

async function follow() {
  let wait = 500;
  for (;;) {
    let why = "the daemon ended the stream";
    try {
      await stream("v1/stats", undefined, (_, figures) => {
        wait = 500;
        show(figures);
      }, () => live("on", "live"));
    } catch (problem) {
      why = problem instanceof TypeError ? "the daemon does not answer" : problem.message;
    }
    live("lost", `${why}; trying again`);
    await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
    wait = Math.min(wait * 2, 8000);
  }
}

$("forget").hidden = !token.get();
$("forget").addEventListener("click", () => {
  token.forget();
  location.reload();
});
startPanels();
startTail();
follow();
