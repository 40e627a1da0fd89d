// The saved views of a list: a key goes to them, arrows move over them, Enter opens one.
import { handle } from "./actions.js";

function bar() {
  return document.querySelector("[data-views]");
}

function move(views, step) {
  const links = [...views.querySelectorAll("a")];
  links[Math.min(Math.max(links.indexOf(document.activeElement) + step, 0), links.length - 1)].focus();
}

export function startViews() {
  const go = () => bar().querySelector("[aria-current]").focus();
  handle("list.views", Object.assign(go, { available: () => Boolean(bar()) }));
  document.addEventListener("keydown", (event) => {
    const views = event.target.closest?.("[data-views]");
    if (!views || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const forward = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    move(views, event.key === forward ? 1 : -1);
    event.preventDefault();
  });
}
