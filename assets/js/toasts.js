// Toasts come from the server (out of band, or the "toast" event of HX-Trigger) or from here; they leave by themselves.
import { handle } from "./actions.js";

const STAY_MS = 7000;
const STAY_WITH_UNDO_MS = 12000;
const MOST = 4;

function region() {
  return document.getElementById("toasts");
}

/** Show {message, level: info|success|warning|error}. */
export function showToast({ message, level = "info" }) {
  const template = document.getElementById(`toast-${level}`) ?? document.getElementById("toast-info");
  if (!template || !region()) return;
  const item = template.content.firstElementChild.cloneNode(true);
  item.querySelector("[data-toast-text]").textContent = message;
  region().append(item);
}

function arrive(item) {
  const stay = item.querySelector("form") ? STAY_WITH_UNDO_MS : STAY_MS;
  let timer;
  const leave = () => item.remove();
  const start = () => {
    if (item.dataset.level !== "error") timer = setTimeout(leave, stay);
  };
  const stop = () => clearTimeout(timer);
  item.addEventListener("pointerenter", stop);
  item.addEventListener("pointerleave", start);
  item.addEventListener("focusin", stop);
  item.addEventListener("focusout", start);
  item.addEventListener("click", (event) => {
    if (event.target.closest("[data-toast-close]")) leave();
  });
  item.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) leave();
  });
  start();
  const items = region().children;
  if (items.length > MOST) items[0].remove();
}

function lastUndo() {
  return [...document.querySelectorAll("#toasts [data-toast-undo]")].at(-1) ?? document.querySelector("[data-undo]");
}

export function startToasts() {
  const place = region();
  if (!place) return;
  for (const item of place.children) arrive(item);
  new MutationObserver((records) => {
    for (const record of records) {
      for (const node of record.addedNodes) if (node.nodeType === Node.ELEMENT_NODE) arrive(node);
    }
  }).observe(place, { childList: true });
  document.addEventListener("toast", (event) => showToast(event.detail));
  handle("undo", Object.assign(() => lastUndo()?.click(), { available: () => Boolean(lastUndo()) }));
}
