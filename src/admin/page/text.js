// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them, and elements without HTML text: what comes from outside is never
// markup.

export const $ = (id) => document.getElementById(id);

export function set(id, text) {
  const element = typeof id === "string" ? $(id) : id;
  if (element.textContent !== text) element.textContent = text;
}

export function tone(id, value) {
  $(id).dataset.tone = value;
}

export function make(tag, text, properties = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-")) element.setAttribute(key, value);
    else element[key] = value;
  }
  return element;
}

// A <dl>'s rows; keeps the elements where it can, so that a selection survives.
export function rows(list, pairs) {
  while (list.children.length > pairs.length * 2) list.lastChild.remove();
  pairs.forEach(([name, value], i) => {
    if (list.children.length <= i * 2) list.append(make("dt"), make("dd"));
    set(list.children[i * 2], name);
    set(list.children[i * 2 + 1], String(value));
  });
}

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
export const count = (n) => whole.format(n);

export function rate(n) {
  if (n === null || !Number.isFinite(n)) return "–";
  return n >= 100 || n === 0 ? count(n) : n.toFixed(n >= 10 ? 0 : 1);
}

export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; ++i) n /= 1024;
  return `${n >= 100 || i === 0 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

// Seconds, from fractions of a millisecond to days.
export function span(s) {
  if (s === null || s === undefined) return "–";
  if (s === 0) return "0 s";
  if (s < 0.001) return `${Math.max(1, Math.round(s * 1e6))} µs`;
  if (s < 0.1) return `${(s * 1000).toFixed(s < 0.01 ? 1 : 0)} ms`;
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 90) return `${s.toFixed(s < 10 ? 1 : 0).replace(".0", "")} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export const ms = (n) => span(n === null ? null : n / 1000);

export const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;
