// The column of a playbook's draft: dragging steps, the forms that open in it, and choosing a kind of step by typing.
import Sortable from "sortablejs";

const FIELDS = ":is(input:not([type='hidden'], [tabindex='-1']), select:not([hidden]), textarea)";

function bar() {
  return document.getElementById("draft-bar");
}

/** Every change says which draft it was made on: the latest that this page knows of. */
function numberChanges() {
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.verb === "post" && bar()?.dataset.number) detail.formData.set("number", bar().dataset.number);
  });
}

function startDragging() {
  const column = document.getElementById("column");
  if (!column || column.dataset.sorted) return;
  column.dataset.sorted = "true";
  Sortable.create(column, {
    draggable: "[data-step]",
    handle: "[data-step-handle]",
    animation: 120,
    onEnd({ item, oldDraggableIndex, newDraggableIndex }) {
      if (oldDraggableIndex === newDraggableIndex) return;
      window.htmx.ajax("POST", column.dataset.moveUrl, {
        source: column,
        swap: "none",
        values: { step: item.dataset.step, to: newDraggableIndex },
      });
    },
  });
}

/** The form that was opened is where one types next. */
function enter(form) {
  const first = form.querySelector("[autofocus]") ?? form.querySelector(".part-form " + FIELDS);
  first?.focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
}

function close(form) {
  const opener = form.id.startsWith("add-") ? `plus-${form.id.slice(4)}` : `edit-${form.id.slice(5)}`;
  form.replaceChildren();
  document.getElementById(opener)?.focus();
}

function startForms() {
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.target.matches?.(".step-form") && detail.requestConfig.verb === "get") enter(detail.target);
  });
  document.addEventListener("click", (event) => {
    const form = event.target.closest("[data-form-close]")?.closest(".step-form");
    if (!form) return;
    event.preventDefault();
    close(form);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    const form = event.target.closest?.(".step-form");
    if (!form?.childElementCount) return;
    event.preventDefault();
    close(form);
  });
  document.addEventListener("step-shown", ({ detail }) => {
    const card = document.getElementById(`card-${detail.place}`);
    if (!card) return;
    const kept = document.activeElement;
    if (!kept || kept === document.body || !card.contains(kept)) {
      document.getElementById(`edit-${detail.place}`)?.focus({ preventScroll: true });
    }
    card.scrollIntoView({ block: "nearest" });
  });
}

function narrow(list, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of list.querySelectorAll("[data-narrow-item]")) {
    const said = item.textContent.toLowerCase();
    item.hidden = !words.every((word) => said.includes(word));
  }
  for (const group of list.querySelectorAll("[data-narrow-group]")) {
    group.hidden = !group.querySelector("[data-narrow-item]:not([hidden])");
  }
}

function startNarrowing() {
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-narrow-by]")) narrow(event.target.closest("[data-narrow]"), event.target.value);
  });
  document.addEventListener("keydown", (event) => {
    const list = event.target.closest?.("[data-narrow]");
    if (!list || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    const links = [...list.querySelectorAll("[data-narrow-item]:not([hidden]) a")];
    const place = links.indexOf(document.activeElement);
    if (event.key === "Enter") {
      if (place >= 0) return;
      event.preventDefault();
      links[0]?.click();
      return;
    }
    event.preventDefault();
    const next = place + (event.key === "ArrowDown" ? 1 : -1);
    if (next < 0) list.querySelector("[data-narrow-by]").focus();
    else links[Math.min(next, links.length - 1)]?.focus();
  });
}

numberChanges();
startDragging();
document.addEventListener("htmx:load", startDragging);
startForms();
startNarrowing();
