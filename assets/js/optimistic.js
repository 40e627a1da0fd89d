// Acting is optimistic: the row goes at once, and comes back with the reason if the server refuses.
import { activate, neighbour } from "./list.js";
import { showToast } from "./toasts.js";

const pending = new WeakMap();
const aborted = new WeakSet();

/** What makes the row go; asking for a dialog from within it does not. */
function acting(element, verb) {
  return verb === "get" ? null : element.closest("[data-optimistic]");
}

function rowsFor(element) {
  const bulk = element.closest("[data-bulk]");
  if (bulk) {
    const list = document.getElementById(bulk.dataset.bulk);
    return [...list.querySelectorAll("[data-row]:has([data-row-select]:checked)")];
  }
  const named = element.dataset.optimistic;
  return [named ? document.querySelector(named) : element.closest("[data-row]")].filter(Boolean);
}

function restore(rows) {
  for (const row of rows) row.hidden = false;
  activate(rows[0]);
}

async function reason(xhr) {
  if (!xhr?.status) return document.body.dataset.textOffline;
  try {
    return JSON.parse(xhr.responseText).message || document.body.dataset.textFailed;
  } catch {
    const text = xhr.getResponseHeader("content-type")?.startsWith("text/plain") && xhr.responseText.trim();
    return text || document.body.dataset.textFailed;
  }
}

export function startOptimism() {
  document.addEventListener("htmx:beforeSend", (event) => {
    const element = acting(event.detail.elt, event.detail.requestConfig.verb);
    if (!element) return;
    const rows = rowsFor(element);
    const last = rows.at(-1);
    for (const row of rows) {
      row.hidden = true;
    }
    const next = last && neighbourOf(last, rows);
    pending.set(event.detail.xhr, rows);
    // The answer brings the preview of the next one with it.
    if (next) activate(next, { peek: false });
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const element = acting(event.detail.elt, event.detail.verb);
    const region = document.querySelector("[data-peek-region]");
    if (!element || !region?.childElementCount) return;
    const rows = rowsFor(element);
    const next = rows.length && neighbourOf(rows.at(-1), rows);
    if (!next) return;
    event.detail.parameters.open = next.id.replace("task-", "");
    region.dataset.showing = next.dataset.peek;
  });
  document.addEventListener("htmx:sendAbort", (event) => aborted.add(event.detail.xhr));
  document.addEventListener("htmx:afterRequest", async (event) => {
    const { xhr, successful } = event.detail;
    const rows = pending.get(xhr);
    if (successful) {
      for (const row of rows ?? []) if (row.hidden) row.remove();
      return;
    }
    // That it was given up for a later one is said right after, in the same turn.
    await null;
    if (aborted.has(xhr)) return;
    if (rows) restore(rows);
    if (rows || !event.detail.elt.closest("[data-quiet]")) {
      showToast({ message: await reason(xhr), level: "error" });
    }
  });
}

function neighbourOf(row, leaving) {
  const { hidden } = row;
  row.hidden = false;
  const next = neighbour(row);
  row.hidden = hidden;
  return leaving.includes(next) ? null : next;
}
