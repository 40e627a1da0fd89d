// A long <select data-picker> as a field that one types in: the same choice, found by any of its words.
import Combobox from "@github/combobox-nav";

let count = 0;
let lastChosen = "";

function option(source, group, id) {
  const item = document.createElement("li");
  item.id = id;
  item.role = "option";
  item.className = "picker-option";
  item.dataset.value = source.value;
  item.dataset.words = `${source.textContent} ${group} ${source.value}`.toLowerCase();
  item.textContent = source.textContent;
  if (group) {
    const detail = document.createElement("span");
    detail.className = "picker-detail";
    detail.textContent = group;
    item.append(" ", detail);
  }
  return item;
}

class Picker {
  constructor(select) {
    const wasFocused = document.activeElement === select;
    this.select = select;
    const id = `picker-${(count += 1)}`;
    this.input = Object.assign(document.createElement("input"), { type: "text", className: "input", autocomplete: "off", spellcheck: false });
    if (select.classList.contains("select-sm")) this.input.classList.add("input-sm");
    this.input.setAttribute("aria-label", select.getAttribute("aria-label") ?? select.labels[0]?.textContent ?? "");
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (select.hasAttribute(name)) this.input.setAttribute(name, select.getAttribute(name));
    }
    this.list = Object.assign(document.createElement("ul"), { id, role: "listbox", className: "picker-list", hidden: true });
    this.list.setAttribute("aria-label", this.input.getAttribute("aria-label"));
    const box = document.createElement("div");
    box.className = "picker";
    select.before(box);
    box.append(select, this.input, this.list);
    select.hidden = true;
    this.show();
    this.combobox = new Combobox(this.input, this.list, { tabInsertsSuggestions: false, firstOptionSelectionMode: "active" });
    // The library takes the default away with every letter: the first that is left is the one that Enter takes.
    this.combobox.inputHandler = () => this.combobox.resetSelection();
    this.listen();
    if (wasFocused || (lastChosen && lastChosen === select.id)) this.input.focus();
    lastChosen = "";
  }

  /** The options as a list; made when it is first opened, since a page may have several of hundreds. */
  fill() {
    if (this.list.childElementCount) return;
    const options = [...this.select.options].filter((one) => one.value);
    this.items = options.map((one, place) => option(one, one.parentElement.label ?? "", `${this.list.id}-${place}`));
    this.list.append(...this.items);
  }

  show() {
    this.input.value = this.select.selectedOptions[0]?.textContent.trim() ?? "";
  }

  open() {
    if (!this.list.hidden) return;
    this.fill();
    this.narrow("");
    this.list.hidden = false;
    this.combobox.start();
    this.list.querySelector(`[data-value="${CSS.escape(this.select.value)}"]`)?.scrollIntoView({ block: "nearest" });
  }

  close() {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.combobox.stop();
    this.show();
  }

  /** Leave what has all the words; what begins with them comes first. */
  narrow(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const begins = (item) => item.dataset.words.startsWith(words.join(" "));
    for (const item of this.items) item.hidden = !words.every((word) => item.dataset.words.includes(word));
    this.list.append(...this.items.filter(begins), ...this.items.filter((item) => !begins(item)));
    this.combobox.resetSelection();
  }

  listen() {
    const { input, list, select } = this;
    // What is typed here is no change of the form.
    for (const name of ["input", "change"]) input.addEventListener(name, (event) => event.stopPropagation());
    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => this.open());
    input.addEventListener("input", () => { this.open(); this.narrow(input.value); });
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !list.hidden) { this.close(); event.preventDefault(); event.stopPropagation(); }
      if (event.key === "ArrowDown" && list.hidden) this.open();
      if (event.key === "Enter") event.preventDefault();
    });
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("combobox-commit", (event) => {
      const { value } = event.target.dataset;
      const changed = select.value !== value;
      select.value = value;
      this.close();
      if (!changed) return;
      lastChosen = select.id;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

function startAll(root) {
  for (const select of root.querySelectorAll("select[data-picker]:not([data-ready])")) {
    select.dataset.ready = "";
    new Picker(select);
  }
}

export function startPickers() {
  startAll(document);
  document.addEventListener("htmx:load", (event) => startAll(event.target.parentElement ?? document));
}
