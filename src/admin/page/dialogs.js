// SPDX-License-Identifier: Apache-2.0
// Nothing changes before it was confirmed here; the answer is said in a toast.
import { $, make } from "./text.js";

let hide = 0;

export function toast(text) {
  const box = $("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => { box.hidden = true; }, 6000);
}

// Asks, and does it: the dialog stays open with the reason while `act` fails. With `input` there is
// a field, whose text `act` gets. True when it was done.
export function confirm({ title, text, yes, danger = false, input = null, act }) {
  const box = $("ask");
  $("ask-title").textContent = title;
  $("ask-text").replaceChildren(...text.map((one) => (typeof one === "string" ? make("p", one) : one)));
  $("ask-yes").textContent = yes;
  $("ask-yes").classList.toggle("danger", danger);
  $("ask-error").textContent = "";
  $("ask-label").hidden = input === null;
  if (input) {
    $("ask-label").firstElementChild.textContent = input.label;
    $("ask-input").value = input.value;
  }
  box.showModal();
  (input ? $("ask-input") : $("ask-yes")).focus();
  return new Promise((resolve) => {
    box.onclose = () => resolve(false);
    box.firstElementChild.onsubmit = async (event) => {
      if (event.submitter?.value !== "yes") return;
      event.preventDefault();
      $("ask-yes").disabled = true;
      $("ask-error").textContent = "";
      try {
        await act($("ask-input").value);
        box.onclose = null;
        box.close();
        resolve(true);
      } catch (problem) {
        $("ask-error").textContent = problem.message;
      } finally {
        $("ask-yes").disabled = false;
      }
    };
  });
}
