// The editor of a choice: each has a slider beside its points, and both say the same.
import { readDecimal, writeDecimal } from "./numbers.js";
import { showReadout } from "./readout.js";
import { inRange } from "./rows.js";
import { third } from "./shape.js";

export function startChoices(root, { distribution: { counts = {}, missing = 0 } }) {
  const rows = [...root.querySelectorAll("[data-curve-entry]")].map((row) => ({
    name: row.querySelector("[data-curve-value]").value,
    typed: row.querySelector("[data-curve-points]"),
    range: row.querySelector("[data-curve-range]"),
  }));

  function show() {
    const found = [0, 0, 0];
    for (const { name, typed, range } of rows) {
      const points = readDecimal(typed.value);
      range.classList.toggle("is-unset", !inRange(points));
      if (!inRange(points)) continue;
      if (range !== document.activeElement) range.value = points;
      found[third(points)] += counts[name] ?? 0;
    }
    showReadout(root, found, Object.values(counts).reduce((sum, count) => sum + count, missing));
  }

  root.addEventListener("input", (event) => {
    const row = rows.find(({ range }) => range === event.target);
    if (row) row.typed.value = writeDecimal(Number(row.range.value));
    show();
  });
  show();
}
