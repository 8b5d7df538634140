// SPDX-License-Identifier: Apache-2.0
// The grid of shards: one cell a shard, one tab stop a set (arrow keys move within), and what is
// known of the shard that was chosen. Cells are made once and then only changed.
import { call } from "./api.js";
import { $, bytes, count, make, ms, plural, rows, set, span } from "./text.js";

const sets = new Map(); // generation -> {box, title, grid, cells}
let states = [];
let chosen = null; // {generation, id}
let last = null;

function density(n) {
  if (n <= 64) return "grid";
  return n <= 320 ? "grid middle" : "grid dense";
}

function makeSet(info) {
  const box = make("div", undefined, { className: "set" });
  const title = make("h3");
  const grid = make("div", undefined, { className: density(info.shards.length), role: "group" });
  const cells = info.shards.map(([id]) => {
    const cell = make("button", undefined, { type: "button", className: "cell", tabIndex: -1 });
    cell.append(make("b", String(id)), make("span"));
    cell.dataset.id = id;
    return cell;
  });
  grid.append(...cells);
  if (cells[0]) cells[0].tabIndex = 0;
  grid.addEventListener("keydown", move);
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (cell) choose(info.generation, Number(cell.dataset.id));
  });
  box.append(title, grid);
  $("sets").append(box);
  const made = { box, title, grid, cells, ids: info.shards.map((s) => s[0]).join() };
  sets.set(info.generation, made);
  return made;
}

function move(event) {
  const cells = [...event.currentTarget.children];
  const at = cells.indexOf(document.activeElement);
  if (at < 0) return;
  const columns = getComputedStyle(event.currentTarget).gridTemplateColumns.split(" ").length;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  const to = event.key === "Home" ? 0 : event.key === "End" ? cells.length - 1
    : steps[event.key] === undefined ? -1 : at + steps[event.key];
  if (to < 0 || to >= cells.length) return;
  event.preventDefault();
  cells[at].tabIndex = -1;
  cells[to].tabIndex = 0;
  cells[to].focus();
}

function choose(generation, id) {
  const again = chosen && chosen.generation === generation && chosen.id === id;
  chosen = again ? null : { generation, id };
  $("shard").hidden = again;
  mark();
  if (!again) detail();
}

function mark() {
  for (const [generation, one] of sets)
    for (const cell of one.cells) {
      const is = chosen !== null && chosen.generation === generation && chosen.id === Number(cell.dataset.id);
      if (is) cell.setAttribute("aria-current", "true");
      else cell.removeAttribute("aria-current");
    }
}

async function detail() {
  if (!chosen) return;
  const { generation, id } = chosen;
  try {
    const s = await call("GET", `v1/shards/${id}?generation=${generation}`);
    if (!chosen || chosen.id !== id || chosen.generation !== generation) return;
    const box = $("shard");
    if (box.children.length === 0) box.append(make("dl"));
    rows(box.firstChild, [
      ["Shard", `${s.id} of ${s.total}, generation ${s.generation}`],
      ["State", `${s.state} for ${span(s.state_age_s)}`],
      ["Heartbeat", ms(s.latency_ms)],
      ["Session", s.session ?? "none"],
      ["Gateway", s.url ?? "–"],
      ["Sequence", `${count(s.received)} received, ${count(s.safe)} safe`],
      ["Guilds", `${count(s.guilds)}${s.guilds_unavailable ? `, ${count(s.guilds_unavailable)} unavailable` : ""}`],
      ["Events", count(s.events)],
      ["Received", `${bytes(s.payload_bytes)} (${bytes(s.wire_bytes)} on the wire)`],
      ["Connections", `${count(s.connects)}: ${plural(s.identifies, "identify", "identifies")}, ${plural(s.resumes, "resume")}`],
      ["Last close", s.last_close ?? "none"],
    ]);
  } catch (problem) {
    $("shard").replaceChildren(make("p", problem.message, { className: "error" }));
  }
}

function legend(counts) {
  const list = $("legend");
  if (list.children.length !== states.length) {
    list.replaceChildren(...states.map((name) => make("li", "", { "data-s": name })));
  }
  states.forEach((name, i) => {
    set(list.children[i], `${name} ${count(counts[i])}`);
    list.children[i].hidden = counts[i] === 0 && name !== "ready";
  });
}

function paint(one, info) {
  info.shards.forEach(([id, state, latency, guilds], i) => {
    const cell = one.cells[i];
    const name = states[state] ?? "idle";
    const beat = latency === null ? "" : ms(latency);
    if (cell.dataset.s !== name) cell.dataset.s = name;
    set(cell.lastChild, name === "ready" ? beat || "ready" : name);
    const label = `Shard ${id}: ${name}${beat ? `, ${beat}` : ""}, ${plural(guilds, "guild")}`;
    if (cell.title !== label) {
      cell.title = label;
      cell.setAttribute("aria-label", label);
    }
  });
}

export function showShards(figures) {
  states = figures.states;
  const counts = states.map(() => 0);
  const latencies = [];
  for (const [generation, one] of sets) {
    const info = figures.sets.find((s) => s.generation === generation);
    if (info && info.shards.map((s) => s[0]).join() === one.ids) continue;
    one.box.remove();
    sets.delete(generation);
  }
  for (const info of figures.sets) {
    const one = sets.get(info.generation) ?? makeSet(info);
    const active = info.generation === figures.status.generation;
    const here = info.shards.length === info.total ? plural(info.total, "shard")
      : `${count(info.shards.length)} of ${plural(info.total, "shard")} here`;
    set(one.title, `${active ? "Active set" : "New set"}, generation ${info.generation}: ${here}`);
    one.title.hidden = figures.sets.length === 1;
    one.grid.setAttribute("aria-label", `${active ? "Active" : "New"} shards`);
    paint(one, info);
    for (const [, state, latency] of info.shards) {
      counts[state] += 1;
      if (latency !== null) latencies.push(latency);
    }
  }
  legend(counts);
  latencies.sort((a, b) => a - b);
  const half = latencies[Math.floor(latencies.length / 2)];
  set("latency", latencies.length === 0 ? ""
    : `Heartbeat: median ${ms(half)}, slowest ${ms(latencies[latencies.length - 1])}`);
  mark();
  if (chosen && performance.now() - (last ?? 0) > 2000) {
    last = performance.now();
    detail();
  }
}
