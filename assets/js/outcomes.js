// One key finishes a task with its outcome: the Done of the row, of the preview or of the selection, with one word more.
import { available, control, handle, perform } from "./actions.js";

let chosen;

function finishing(key, outcome) {
  return Object.assign(
    () => {
      const own = control(key);
      if (own) return own.click();
      chosen = outcome;
      perform("task.done");
      chosen = undefined;
    },
    { available: () => Boolean(control(key)) || available("task.done") },
  );
}

export function startOutcomes() {
  for (const element of document.querySelectorAll("[data-action-key^='task.outcome.']")) {
    const { actionKey } = element.dataset;
    handle(actionKey, finishing(actionKey, Number(actionKey.split(".").at(-1))));
  }
  document.addEventListener("htmx:configRequest", (event) => {
    if (chosen) event.detail.parameters.outcome = chosen;
  });
}
