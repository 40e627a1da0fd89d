// The table of an editor: reads what is typed there, writes what is drawn, marks what is wrong.
import { fill, readDecimal, shown, writeDecimal } from "./numbers.js";

const ENTRY = "[data-curve-entry]";

export class Rows {
  constructor(root, { texts }) {
    Object.assign(this, { root, texts, table: root.querySelector("[data-curve-rows]"), blank: root.querySelector("[data-curve-blank]") });
    this.belowRow = root.querySelector("[data-curve-below-row]");
    for (const row of this.table.querySelectorAll(".curve-spare")) row.remove();
    for (const place of [root, this.blank.content]) {
      for (const button of place.querySelectorAll("[data-curve-drop], [data-curve-add]")) button.type = "button";
    }
  }

  get all() {
    return [...this.table.querySelectorAll(ENTRY)];
  }

  value(row) {
    return row.querySelector("[data-curve-value]");
  }

  points(row) {
    return row.querySelector("[data-curve-points]");
  }

  /** The knots of the rows that can be read, ascending; with `mark`, the others say what is wrong. */
  read({ mark = false } = {}) {
    const knots = [];
    const seen = new Set();
    for (const row of this.all) {
      const [typed, reached] = [this.value(row).value.trim(), this.points(row).value.trim()];
      const [value, points] = [readDecimal(typed), readDecimal(reached)];
      const wrong =
        (typed && value === null && this.texts.not_number) ||
        (reached && !inRange(points) && this.texts.bad_points) ||
        (value !== null && seen.has(value) && this.texts.twice);
      if (mark || !wrong) this.mark(row, wrong || "");
      if (wrong || value === null || points === null) continue;
      seen.add(value);
      knots.push({ row, value, points });
    }
    return knots.sort((one, other) => one.value - other.value);
  }

  readBelow({ mark = false } = {}) {
    const input = this.belowRow.querySelector("[data-curve-below]");
    const below = readDecimal(input.value.trim());
    const wrong = input.value.trim() && !inRange(below) ? this.texts.bad_points : "";
    if (mark || !wrong) this.mark(this.belowRow, wrong);
    return inRange(below) ? below : null;
  }

  mark(row, sentence) {
    const said = row.querySelector("[data-curve-error]");
    if (said.textContent === sentence) return;
    said.textContent = sentence;
    said.closest(".curve-wrong").hidden = !sentence;
    for (const input of row.querySelectorAll("input")) {
      if (sentence) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }

  write(row, { value, points }) {
    if (value !== undefined) this.value(row).value = writeDecimal(value);
    this.points(row).value = writeDecimal(points);
    this.mark(row, "");
  }

  writeBelow(points) {
    this.belowRow.querySelector("[data-curve-below]").value = points === null ? "" : writeDecimal(points);
  }

  /** An empty row: one that is there already, or a new one at the end. */
  add({ reuse = true } = {}) {
    const empty = reuse && this.all.find((row) => this.isEmpty(row));
    if (empty) return empty;
    const row = this.blank.content.firstElementChild.cloneNode(true);
    this.table.append(row);
    this.renumber();
    return row;
  }

  remove(row) {
    row.remove();
    this.renumber();
  }

  isEmpty(row) {
    return !this.value(row).value.trim() && !this.points(row).value.trim();
  }

  /** Rows in the order of their values, empty ones at the end; as they are while one cannot be read. */
  sort(knots) {
    const others = this.all.filter((row) => !knots.some((knot) => knot.row === row));
    if (!others.every((row) => this.isEmpty(row))) return;
    const order = [...knots.map((knot) => knot.row), ...others];
    if (order.every((row, place) => row === this.all[place])) return;
    const focused = document.activeElement;
    this.table.append(...order);
    if (focused !== document.activeElement) focused.focus({ preventScroll: true });
    this.renumber();
  }

  renumber() {
    this.all.forEach((row, place) => {
      const number = shown(place + 1);
      const said = row.querySelector("[data-curve-error]");
      said.id = `${this.root.id}-error-${place}`;
      this.value(row).setAttribute("aria-label", fill(this.texts.value_of, { number }));
      this.points(row).setAttribute("aria-label", fill(this.texts.points_of, { number }));
      for (const input of row.querySelectorAll("input")) input.setAttribute("aria-describedby", said.id);
      row.querySelector("[data-curve-drop] .sr-only").textContent = fill(this.texts.remove, { number });
    });
  }
}

export function inRange(points) {
  return points !== null && points >= 0 && points <= 100;
}
