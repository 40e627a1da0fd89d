// Editors of curves on pages that have them: [data-curve-editor], see templates/components/curve_editor.html.
import { startChoices } from "./choices.js";
import { Editor } from "./editor.js";
import { writeNumbersAs } from "./numbers.js";

function startAll(root) {
  for (const editor of root.querySelectorAll("[data-curve-editor]:not([data-ready])")) {
    editor.dataset.ready = "";
    const setup = JSON.parse(document.getElementById(`${editor.id}-script`).textContent);
    writeNumbersAs(setup.numbers);
    if (editor.dataset.kind === "choices") startChoices(editor, setup);
    else new Editor(editor, setup);
  }
}

startAll(document);
document.addEventListener("htmx:load", (event) => startAll(event.target.parentElement ?? document));
