// Moving over rows by key: [data-list] holds [data-row]; a row's main link is [data-row-link].
import { handle } from "./actions.js";

const PEEK_DELAY_MS = 90;
let peekTimer;
let lastActive;
const chosenBefore = new Set();

function currentList() {
  const active = document.querySelector("[data-row].is-active");
  return active?.closest("[data-list]") ?? document.querySelector("[data-list]");
}

function rowsOf(list) {
  return list ? [...list.querySelectorAll("[data-row]:not([hidden])")] : [];
}

export function activeRow() {
  return document.querySelector("[data-row].is-active:not([hidden])");
}

export function activate(row, { focus = true, peek: follow = true } = {}) {
  for (const other of document.querySelectorAll("[data-row].is-active")) {
    if (other !== row) other.classList.remove("is-active");
  }
  if (!row) return;
  lastActive = row.id;
  row.classList.add("is-active");
  if (focus) {
    row.querySelector("[data-row-link]")?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
  if (follow && peekRegion()?.childElementCount) schedulePeek(row);
}

/** When rows have been drawn anew, the one that was active is active again. */
function reactivate() {
  if (activeRow()) return;
  const focused = document.activeElement?.closest("[data-row]");
  const idle = document.activeElement === document.body && lastActive;
  const row = focused ?? (idle ? document.getElementById(lastActive) : null);
  if (row) activate(row, { focus: !focused });
}

/** Who comes back to a list stands on the row that they left. */
function remember() {
  const place = `row ${window.location.pathname}${window.location.search}`;
  window.addEventListener("pagehide", () => lastActive && window.sessionStorage.setItem(place, lastActive));
  const [{ type }] = performance.getEntriesByType("navigation");
  if (type === "back_forward") activate(document.getElementById(window.sessionStorage.getItem(place)));
}

/** The row that should be active once this one is gone. */
export function neighbour(row) {
  const rows = rowsOf(row.closest("[data-list]"));
  const index = rows.indexOf(row);
  return rows[index + 1] ?? rows[index - 1] ?? null;
}

function move(step) {
  const rows = rowsOf(currentList());
  if (!rows.length) return;
  const index = rows.indexOf(activeRow());
  activate(rows[index < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(index + step, 0), rows.length - 1)]);
}

function checkbox(row) {
  return row?.querySelector("[data-row-select]");
}

function showSelection(list) {
  const boxes = [...list.querySelectorAll("[data-row-select]")];
  const chosen = boxes.filter((box) => box.checked);
  for (const box of boxes) box.closest("[data-row]").classList.toggle("is-selected", box.checked);
  const all = document.querySelector(`[data-select-all="${list.id}"]`);
  if (all) {
    all.checked = chosen.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
  const bar = document.querySelector(`[data-bulk="${list.id}"]`);
  if (bar) {
    bar.hidden = chosen.length === 0;
    for (const output of bar.querySelectorAll("[data-selected-count]")) output.textContent = chosen.length;
  }
}

function toggleSelection() {
  const box = checkbox(activeRow());
  if (box) box.click();
}

function clearSelection(list) {
  for (const box of list.querySelectorAll("[data-row-select]:checked")) box.checked = false;
  showSelection(list);
}

/** Rows that are drawn anew keep that they were chosen; so do those that come back after an undo. */
function reselect(list) {
  for (const box of list.querySelectorAll("[data-row-select]")) if (chosenBefore.has(box.value)) box.checked = true;
  chosenBefore.clear();
}

function peekRegion() {
  return document.querySelector("[data-peek-region]");
}

function peek(row) {
  const url = row?.dataset.peek;
  const region = peekRegion();
  if (url && region) window.htmx.ajax("GET", url, { target: region, swap: "innerHTML" });
}

function schedulePeek(row) {
  clearTimeout(peekTimer);
  peekTimer = setTimeout(() => peek(row), PEEK_DELAY_MS);
}

function closePeek() {
  const region = peekRegion();
  if (!region?.childElementCount) return false;
  clearTimeout(peekTimer);
  region.replaceChildren();
  activeRow()?.querySelector("[data-row-link]")?.focus({ preventScroll: true });
  return true;
}

function togglePeek() {
  const row = activeRow();
  const region = peekRegion();
  if (!row || !region) return;
  if (region.childElementCount && region.dataset.showing === row.dataset.peek) closePeek();
  else peek(row);
}

export function startLists() {
  remember();
  const here = () => Boolean(currentList());
  const withRow = (run) => Object.assign(run, { available: () => Boolean(activeRow()) });
  handle("list.next", Object.assign(() => move(1), { available: here }));
  handle("list.previous", Object.assign(() => move(-1), { available: here }));
  handle("list.select", withRow(toggleSelection));
  handle("list.open", withRow(() => activeRow().querySelector("[data-row-link]")?.click()));
  handle("list.peek", withRow(togglePeek));

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (document.querySelector("dialog:modal, details.menu-root[open]")) return;
      const chosen = document.querySelector("[data-row-select]:checked");
      if (!closePeek() && chosen) clearSelection(chosen.closest("[data-list]"));
      return;
    }
    if (event.key !== " " || document.body.dataset.hotkeys === "off") return;
    if (event.target === document.body ? activeRow() : event.target.matches?.("[data-row-link]")) {
      event.preventDefault();
      togglePeek();
    }
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("[data-row]");
    if (row && !row.classList.contains("is-active")) activate(row, { focus: false });
  });
  document.addEventListener("change", (event) => {
    const { target } = event;
    if (target.matches("[data-row-select]")) showSelection(target.closest("[data-list]"));
    if (target.matches("[data-select-all]")) {
      const list = document.getElementById(target.dataset.selectAll);
      for (const row of rowsOf(list)) if (checkbox(row)) checkbox(row).checked = target.checked;
      showSelection(list);
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-peek-close]")) closePeek();
    const clear = event.target.closest("[data-selection-clear]");
    if (clear) clearSelection(document.getElementById(clear.closest("[data-bulk]").dataset.bulk));
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const region = event.target.closest?.("[data-peek-region]");
    if (region) region.dataset.showing = activeRow()?.dataset.peek ?? "";
  });
  // A dialog gives the focus back to where it was; where that has gone, the active row has it.
  const resume = () => document.activeElement === document.body && activate(activeRow(), { peek: false });
  document.addEventListener("close", resume, { capture: true });
  document.addEventListener("htmx:configRequest", (event) => {
    const name = event.detail.elt.dataset.withRow;
    const row = activeRow();
    if (name && row) event.detail.parameters[name] = row.id.replace("task-", "");
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    for (const box of event.detail.target.querySelectorAll("[data-list] [data-row-select]:checked")) chosenBefore.add(box.value);
  });
  document.addEventListener("rows-select", (event) => {
    for (const row of event.detail.rows) chosenBefore.add(String(row));
  });
  document.addEventListener("htmx:afterSettle", reactivate);
  document.addEventListener("htmx:load", (event) => {
    for (const list of event.target.querySelectorAll("[data-list]:has([data-row-select])")) reselect(list);
    for (const list of document.querySelectorAll("[data-list]:has([data-row-select])")) showSelection(list);
  });
}
