// SPDX-License-Identifier: Apache-2.0
// Handler, resharding and queue: what they do, and the actions on them.
import { call } from "./api.js";
import { confirm, toast } from "./dialogs.js";
import { $, bytes, count, make, plural, rows, set, span, tone } from "./text.js";

let handler = { state: "", urls: [] };
const running = (r) => ["starting", "overlap", "retiring"].includes(r.state);
const words = (name) => name.replaceAll("_", " ");

export function showHandler(status) {
  handler = status.handler;
  set("handler-state", handler.state);
  tone("handler-state", { up: "good", down: "bad", paused: "warn" }[handler.state] ?? "");
  const table = $("urls");
  while (table.children.length > handler.urls.length) table.lastChild.remove();
  handler.urls.forEach((url, i) => {
    if (table.children.length <= i) {
      const row = make("tr");
      row.append(make("td"), make("td"), make("td", "", { className: "number" }));
      row.firstChild.append(make("div"), make("div", "", { className: "sub bad" }));
      table.append(row);
    }
    const [where, state, flight] = table.children[i].children;
    set(where.firstChild, url.url);
    set(where.lastChild, url.last_error ?? "");
    set(state, url.state);
    set(flight, `${count(url.in_flight)} / ${count(url.window)}`);
  });
  set("pause", handler.state === "paused" ? "Resume" : "Pause");
  $("pause").disabled = $("switch").disabled = false;
}

async function pause() {
  const to = handler.state !== "paused";
  await confirm({
    title: to ? "Pause the handler?" : "Resume the handler?",
    text: [to ? "Nothing new is sent until you resume it. Events wait in the queue, in order; interactions are still answered in time."
      : "Everything that has waited is sent, in order."],
    yes: to ? "Pause" : "Resume",
    act: async () => {
      await call("POST", "v1/handler", { paused: to });
      toast(to ? "The handler is paused." : "The handler gets events again.");
    },
  });
}

async function change() {
  // Not filled in: the daemon shows URLs without their query.
  const now = make("dl", undefined, { className: "rows" });
  rows(now, handler.urls.map((u, i) => [i === 0 ? "Now" : "", u.url]));
  await confirm({
    title: "Switch the handler?",
    text: [now, "Requests under way finish where they are; everything else goes to the new URLs, in order. It holds until the daemon restarts: change the configuration as well."],
    yes: "Switch",
    input: { label: "URLs, one a line", value: "" },
    act: async (text) => {
      const urls = text.split("\n").map((line) => line.trim()).filter(Boolean);
      await call("POST", "v1/handler", { urls });
      toast("The handler is switched.");
    },
  });
}

export function showReshard(r) {
  const runs = running(r);
  set("reshard-state", runs ? r.state : "");
  tone("reshard-state", "warn");
  $("progress").hidden = !runs;
  $("reshard-abort").hidden = !runs;
  $("reshard-plan").disabled = runs;
  if (runs) {
    $("reshard-bar").value = r.percent;
    set("reshard-text", `${r.from} → ${plural(r.to, "shard")}: ${r.percent} %, ${r.ready} of ${r.to} ready` +
      (r.eta_s === null ? "" : `, about ${span(r.eta_s)} left`));
  }
  const over = { done: "Done", aborted: "Aborted", failed: "Failed" }[r.state];
  set("reshard-last", over ? `${over}: ${r.from} → ${plural(r.to, "shard")} in ${span(r.started_ago_s)}` +
    (r.reason ? `. ${r.reason}` : "") : r.warning ?? "");
}

async function reshard(event) {
  event.preventDefault();
  const text = $("reshard-to").value.trim();
  const shards = text === "auto" ? "auto" : Number(text);
  const button = $("reshard-plan");
  button.disabled = true;
  let plan;
  try {
    plan = await call("POST", "v1/reshard", { shards, dry_run: true });
  } catch (problem) {
    toast(problem.message);
    return;
  } finally {
    button.disabled = false;
  }
  const list = make("dl", undefined, { className: "rows" });
  rows(list, [
    ["Shards", `${plan.from} → ${plan.to}`],
    ["Session starts", `${count(plan.session_starts)} of ${count(plan.remaining)} left`],
    ["Time", `about ${span(plan.estimated_s)}`],
    ["Live voice", plural(plan.voice_guilds.length, "guild")],
  ]);
  await confirm({
    title: "Start this resharding?",
    text: [list, ...plan.warnings],
    yes: "Start",
    act: async () => {
      await call("POST", "v1/reshard", { shards: plan.to });
      toast("The resharding has begun.");
    },
  });
}

async function abort() {
  await confirm({
    title: "Abort the resharding?",
    text: ["The old shards carry on; the session starts that were spent are gone."],
    yes: "Abort it",
    danger: true,
    act: async () => {
      await call("DELETE", "v1/reshard");
      toast("The resharding is being aborted.");
    },
  });
}

export function showQueue({ queue, storage }) {
  const list = (object) => Object.entries(object).filter(([, n]) => n > 0)
    .map(([name, n]) => `${words(name)} ${count(n)}`).join(", ") || "nothing";
  rows($("queue"), [
    ["In memory", `${plural(queue.events, "event")}, ${bytes(queue.bytes)}`],
    ["On disk alone", `${plural(queue.spooled_events, "event")}, ${bytes(queue.spooled_bytes)}`],
    ["Oldest", queue.oldest_age_s > 0 ? span(queue.oldest_age_s) : "–"],
    ["Waiting for", list(queue.causes)],
    ["Given up", list(queue.shed)],
    ["Dead letters", count(queue.dead_letters)],
    ["Storage", storage.detail ? `${storage.state}: ${storage.detail}` : storage.state],
  ]);
}

export function startPanels() {
  $("pause").addEventListener("click", pause);
  $("switch").addEventListener("click", change);
  $("reshard-form").addEventListener("submit", reshard);
  $("reshard-abort").addEventListener("click", abort);
}
