// SPDX-License-Identifier: Apache-2.0
// The live tail. Lines are drawn once a frame, the last 300 are kept, and the view follows unless
// somebody has scrolled up.
import { stream } from "./api.js";
import { $, bytes, count, make, set } from "./text.js";

const kept = 300;
let running = null; // its AbortController
let waiting = [];
let seen = 0, missed = 0;
let drawing = false;

function line(event) {
  const row = make("div");
  const at = new Date(event.at);
  const from = event.guild ? `guild ${event.guild}` : event.channel ? `channel ${event.channel}` : "";
  row.append(make("time", at.toISOString().slice(11, 23), { dateTime: at.toISOString() }),
    make("span", `#${event.shard}`, { className: "dim", title: `shard ${event.shard} of ${event.shards}` }),
    make("span", event.mark ? `${event.t} (${event.mark})` : event.t, { title: event.t }),
    make("span", from, { className: "dim" }),
    make("span", `${bytes(event.bytes)}${event.s === null ? "" : `, s ${event.s}`}`, { className: "dim" }));
  if (event.withheld) row.append(make("span", "payload withheld: it holds a secret, or is large", { className: "payload" }));
  else if (event.d !== undefined) row.append(make("span", JSON.stringify(event.d), { className: "payload" }));
  return row;
}

function draw() {
  drawing = false;
  const box = $("tail");
  const follows = box.scrollHeight - box.scrollTop - box.clientHeight < 30;
  box.append(...waiting.slice(-kept));
  waiting = [];
  while (box.children.length > kept) box.firstChild.remove();
  if (follows) box.scrollTop = box.scrollHeight;
  set("tail-state", `${count(seen)} seen${missed ? `, ${count(missed)} left out` : ""}`);
}

function show(row) {
  waiting.push(row);
  if (waiting.length > 2 * kept) waiting.splice(0, kept);
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(draw);
}

function query() {
  const out = new URLSearchParams();
  for (const name of ["type", "guild", "shard"]) {
    const value = $(`tail-${name}`).value.replace(/\s+/g, "");
    if (value) out.set(name, name === "type" ? value.toUpperCase() : value);
  }
  if ($("tail-payload").checked) out.set("payload", "1");
  return String(out);
}

async function start() {
  running = new AbortController();
  const mine = running;
  seen = missed = 0;
  set("tail-start", "Stop");
  set("tail-state", "starting");
  let end = "stopped";
  try {
    await stream(`v1/events?${query()}`, mine.signal, (name, data) => {
      if (name === "dropped") {
        missed += data.events;
        show(make("div", `${count(data.events)} events left out: too many to show`, { className: "dropped" }));
      } else {
        seen += 1;
        show(line(data));
      }
    }, () => set("tail-state", "waiting for events"));
    end = "the daemon ended the stream";
  } catch (problem) {
    if (!mine.signal.aborted) end = problem.message;
  }
  if (running === mine) running = null;
  set("tail-start", "Start");
  set("tail-state", seen ? `${end}, ${count(seen)} seen` : end);
}

export function startTail() {
  $("tail-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) running.abort();
    else start();
  });
  $("tail-clear").addEventListener("click", () => {
    waiting = [];
    $("tail").replaceChildren();
  });
}
