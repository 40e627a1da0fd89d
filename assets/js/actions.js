// One registry of actions, written into the page by the server (the `?` sheet), feeds keys, palette and buttons.
import { install } from "@github/hotkey";

const handlers = new Map();

// Keys that a focused button or link needs for itself; lists answer them on their own rows only.
const NATIVE_KEYS = new Set(["Enter", "Space", "Escape"]);

/** Answer an action by code instead of by a control in the page. */
export function handle(key, run) {
  handlers.set(key, run);
}

function shown(element) {
  return element.checkVisibility({ visibilityProperty: false }) && !element.disabled;
}

// The palette offers what the page beneath it can do.
function scopes() {
  const dialog = [...document.querySelectorAll("dialog:modal:not(#palette)")].at(-1);
  if (dialog) return [dialog];
  const bulk = document.querySelector("[data-bulk]:not([hidden])");
  const row = document.querySelector("[data-row].is-active");
  const peek = document.querySelector("[data-peek-region]");
  return [bulk, row, peek, document.querySelector("main"), document.body].filter(Boolean);
}

/** The control in the page that does it, nearest to where one is. */
export function control(key) {
  const selector = `[data-action="${CSS.escape(key)}"]`;
  for (const scope of scopes()) {
    const inRow = scope.matches("[data-row], dialog");
    const found = [...scope.querySelectorAll(selector)].find(
      (element) => shown(element) && (inRow || !element.closest("[data-row]")),
    );
    if (found) return found;
  }
  return null;
}

function definition(key) {
  return document.querySelector(`[data-action-key="${CSS.escape(key)}"]`);
}

/** Whether doing this now would do anything, here. */
export function available(key) {
  if (handlers.has(key)) return handlers.get(key).available?.() ?? true;
  return Boolean(control(key) || definition(key)?.dataset.actionUrl);
}

/** Do what the action says: by code, by pressing its control in the page, or by going to its address. */
export function perform(key) {
  const run = handlers.get(key);
  if (run) return run();
  const element = control(key);
  if (element) {
    element.click();
    const opened = element.closest("details[open]");
    if (element.tagName === "SUMMARY" && opened) opened.querySelector("a, button, input, select, textarea")?.focus();
    else if (element.matches("input, textarea, select, [aria-describedby]")) element.focus();
    return;
  }
  const url = definition(key)?.dataset.actionUrl;
  if (url) window.location.assign(url);
}

/** Over a modal dialog a key acts on the dialog only, never on the page beneath. */
function reachable(key) {
  if (document.querySelector("#palette:modal")) return false;
  return document.querySelector("dialog:modal") ? Boolean(control(key)) : available(key);
}

function keysOff() {
  return document.body.dataset.hotkeys === "off";
}

function spellings(hotkey) {
  // A shifted sign such as "?" arrives as "Shift+?" from most keyboards and bare from a few.
  return /^[^\w\s]$/.test(hotkey) ? [hotkey, `Shift+${hotkey}`] : [hotkey];
}

export function startActions() {
  for (const element of document.querySelectorAll("[data-action-key]")) {
    const { hotkey, actionKey } = element.dataset;
    element.addEventListener("click", () => {
      element.closest("dialog")?.close();
      perform(actionKey);
    });
    if (!hotkey || NATIVE_KEYS.has(hotkey) || hotkey.startsWith("Mod+")) continue;
    element.addEventListener("hotkey-fire", (event) => {
      event.preventDefault();
      if (!keysOff() && reachable(actionKey)) perform(actionKey);
    });
    for (const spelling of spellings(hotkey)) install(element, spelling);
  }
  // Control and Command combinations work while typing too.
  document.addEventListener("keydown", (event) => {
    if (!(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return;
    const element = document.querySelector(`[data-hotkey="Mod+${CSS.escape(event.key.toLowerCase())}"]`);
    if (!element) return;
    event.preventDefault();
    perform(element.dataset.actionKey);
  });
}
