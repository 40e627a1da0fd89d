// Ctrl-K: commands of this page first, then what the search finds.
import Combobox from "@github/combobox-nav";
import { available, handle, perform } from "./actions.js";
import { openDialog } from "./overlays.js";

// Said by the script: a rule with `:has(:not([hidden]))` would style the whole page anew with every row that goes.
function tellWhetherEmpty(list) {
  document.getElementById("palette-empty").hidden = Boolean(list.querySelector('[role="option"]:not([hidden])'));
}

function narrow(list, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const option of list.querySelectorAll("[data-run]")) {
    const label = option.textContent.toLowerCase();
    option.hidden = !available(option.dataset.run) || !words.every((word) => label.includes(word));
  }
  for (const group of list.querySelectorAll("[data-palette-commands]")) {
    group.hidden = !group.querySelector("[data-run]:not([hidden])");
  }
  tellWhetherEmpty(list);
}

export function startPalette() {
  const dialog = document.getElementById("palette");
  const input = document.getElementById("palette-input");
  const list = document.getElementById("palette-list");
  if (!dialog || !input || !list) return;
  const combobox = new Combobox(input, list, { tabInsertsSuggestions: false, firstOptionSelectionMode: "active" });
  // The library takes the default away with every letter: the first that is left is the one that Enter takes.
  combobox.inputHandler = () => {
    narrow(list, input.value);
    combobox.resetSelection();
  };

  dialog.addEventListener("dialog-open", () => {
    input.value = "";
    document.getElementById("palette-results").replaceChildren();
    narrow(list, "");
    combobox.start();
    combobox.resetSelection();
    input.focus();
  });
  dialog.addEventListener("close", () => combobox.stop());
  list.addEventListener("combobox-commit", (event) => {
    const { run } = event.target.dataset;
    dialog.close();
    if (run) perform(run);
  });
  list.addEventListener("htmx:afterSettle", () => {
    tellWhetherEmpty(list);
    combobox.resetSelection();
  });
  handle("search", () => openDialog("palette"));
}
