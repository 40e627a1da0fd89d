// Native dialogs and <details> menus, opened by data-dialog="id" and closed as people expect.
import { handle } from "./actions.js";

let leaving;

/** Open a dialog by id, focus where it asks for it. */
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  for (const other of document.querySelectorAll("dialog:modal")) other.close();
  dialog.showModal();
  focusFirst(dialog);
  dialog.dispatchEvent(new CustomEvent("dialog-open"));
}

/** Let a dialog go from sight at once, and close it after that: with its end the whole page is styled anew. */
function leave(dialog) {
  leaving = dialog;
  dialog.classList.add("is-leaving");
  requestAnimationFrame(() => setTimeout(closeLeaving));
}

function closeLeaving() {
  leaving?.classList.remove("is-leaving");
  leaving?.close();
  leaving = undefined;
}

function focusFirst(dialog) {
  const first =
    dialog.querySelector("[autofocus]") ??
    dialog.querySelector(".sheet-body :is(input:not([type='hidden']), select, textarea):not([hidden])");
  first?.focus();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu-root[open]")) {
    if (menu !== except) menu.open = false;
  }
}

export function startOverlays() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      event.preventDefault();
      closeMenus();
      openDialog(opener.dataset.dialog);
      return;
    }
    const left = event.target.closest("[data-dialog-close]")?.closest("dialog") ?? event.target;
    if (left instanceof HTMLDialogElement) leave(left);
    const menu = event.target.closest("details.menu-root");
    if (!menu || event.target.closest(".menu-item")) closeMenus();
    else closeMenus(menu);
  });
  // The next key is for the page, however soon it comes.
  window.addEventListener("keydown", closeLeaving, true);
  document.addEventListener("cancel", (event) => {
    if (!(event.target instanceof HTMLDialogElement) || !event.cancelable) return;
    event.preventDefault();
    leave(event.target);
  }, true);
  document.addEventListener("keydown", (event) => {
    const opened = document.querySelector("details.menu-root[open]");
    const menu = opened ?? event.target.closest?.("[data-menu]");
    if (!menu) return;
    if (opened && event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
      event.preventDefault();
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const items = [...menu.querySelectorAll(".menu-item")];
      const step = event.key === "ArrowDown" ? 1 : -1;
      const index = items.indexOf(document.activeElement);
      items.at((index < 0 && step < 0 ? -1 : index + step) % items.length)?.focus();
      event.preventDefault();
    }
  });
  // A dialog whose content the server sends opens when it has arrived; the answer to its form does not open it again.
  document.addEventListener("htmx:afterSwap", (event) => {
    const dialog = event.target.closest?.("dialog[data-open-on-load]");
    if (!dialog || event.detail.requestConfig.verb !== "get") return;
    if (dialog.open && event.target === dialog) focusFirst(dialog);
    openDialog(dialog.id);
  });
  // "dialog-close" in HX-Trigger closes whatever is open.
  document.addEventListener("dialog-close", () => {
    for (const dialog of document.querySelectorAll("dialog:modal")) dialog.close();
  });
  handle("help", () => openDialog("shortcuts"));
}
