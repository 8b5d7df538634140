// SPDX-License-Identifier: Apache-2.0
// The daemon's admin API for the page: requests with the token (asked for once, kept in this tab,
// never in an address) and server-sent events over fetch, for EventSource cannot send a header.

const KEY = "shardgate-admin-token";
const $ = (id) => document.getElementById(id);

export const token = {
  get: () => sessionStorage.getItem(KEY),
  forget() {
    sessionStorage.removeItem(KEY);
    $("forget").hidden = true;
  },
};

let asking = null;

// Shows the prompt, once for all who wait; resolves when there is one to try.
function askToken(wrong) {
  asking ??= new Promise((resolve) => {
    const box = $("token");
    $("token-error").textContent = wrong ? "The daemon does not accept this token." : "";
    $("token-input").value = "";
    $("token-form").onsubmit = () => {
      sessionStorage.setItem(KEY, $("token-input").value.trim());
      $("token-input").value = "";
      $("forget").hidden = false;
      asking = null;
      resolve();
    };
    box.oncancel = (event) => event.preventDefault();
    box.showModal();
  });
  return asking;
}

// An answer that is not 401; asks for the token as often as it takes.
export async function request(path, options = {}) {
  for (;;) {
    const used = token.get();
    const headers = { ...options.headers };
    if (used) headers.Authorization = "Bearer " + used;
    const answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
    if (answer.status !== 401) return answer;
    // Another request may have got a new one meanwhile.
    if (used === token.get()) {
      token.forget();
      await askToken(Boolean(used));
    }
  }
}

// The JSON of an answer; throws what its problem says.
export async function call(method, path, body) {
  const options = { method };
  if (method !== "GET") {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body ?? {});
  }
  const answer = await request(path, options);
  const text = await answer.text();
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    // a proxy's page, say
  }
  if (!answer.ok) throw new Error(json?.detail ?? `The daemon answered ${answer.status}.`);
  return json;
}

// Calls `on(name, data)` for each server-sent event until `signal` aborts or the stream ends.
export async function stream(path, signal, on, opened = () => {}) {
  const answer = await request(path, { signal });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => null);
    throw new Error(problem?.detail ?? `The daemon answered ${answer.status}.`);
  }
  opened();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      let name = "message";
      const data = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        if (line.startsWith("data: ")) data.push(line.slice(6));
      }
      if (data.length > 0) on(name, JSON.parse(data.join("\n")));
    }
  }
}
