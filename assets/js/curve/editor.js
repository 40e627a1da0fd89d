// The editor of a line or bands. The table is the truth; the drawing shows it and writes into it.
import { Distribution, clamp } from "./distribution.js";
import { fill, rounded, shown } from "./numbers.js";
import { Plot } from "./plot.js";
import { showReadout } from "./readout.js";
import { Rows } from "./rows.js";
import { pointsAt, thirds } from "./shape.js";
import { suggest } from "./suggest.js";

const FARTHER = 10;
const MOVES = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
  PageUp: [0, FARTHER], PageDown: [0, -FARTHER], Home: [0, -100], End: [0, 100],
};

export class Editor {
  constructor(root, setup) {
    Object.assign(this, { root, setup, texts: setup.texts, rows: new Rows(root, setup), past: [] });
    this.distribution = new Distribution(setup.distribution);
    const stage = root.querySelector("[data-curve-stage]");
    const label = stage.querySelector("title").textContent;
    this.plot = new Plot(stage, { label, unit: setup.unit, texts: setup.texts, distribution: this.distribution });
    this.read();
    this.draw();
    this.kept = this.snapshot();
    this.listen();
  }

  get kind() {
    return this.root.querySelector("[data-curve-shape]:checked").value;
  }

  /** Take the curve from the table. */
  read(options) {
    const knots = this.rows.read(options);
    this.curve = { kind: this.kind, knots, below: this.rows.readBelow(options) ?? knots[0]?.points ?? 0 };
  }

  draw(options) {
    this.root.dataset.kind = this.curve.kind;
    this.plot.draw(this.curve, options);
    const { bins, total, missing } = this.distribution;
    const counts = this.curve.knots.length ? thirds(this.curve, bins) : [0, 0, 0];
    showReadout(this.root, counts, total + missing);
    this.root.querySelector("[data-curve-notes]").textContent = this.notes().join(" · ");
  }

  /** The median, and how many accounts lie outside the drawing. */
  notes() {
    const { quantiles, min, max } = this.distribution;
    const [below, above] = this.distribution.beyond(this.plot.range);
    const outside = [[below, min, this.texts.less], [above, max, this.texts.more]];
    return [
      ...(quantiles.p50 === undefined ? [] : [fill(this.texts.median, { value: shown(quantiles.p50) })]),
      ...outside
        .filter(([count, end]) => count && end !== null)
        .map(([count, end, text]) => fill(text, { count: shown(count), value: this.plot.valueWords(end) })),
    ];
  }

  snapshot() {
    const rows = this.rows.all.map((row) => [this.rows.value(row).value, this.rows.points(row).value]);
    return JSON.stringify({ kind: this.kind, below: this.root.querySelector("[data-curve-below]").value, rows });
  }

  /** A change is complete: remember what was before it, and tell the page. */
  commit(said = "") {
    this.say(said);
    if (this.remember()) this.root.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** Keep what was before the change for Undo; false where nothing has changed. */
  remember() {
    const now = this.snapshot();
    if (now === this.kept) return false;
    this.past.push(this.kept);
    this.kept = now;
    this.root.querySelector("[data-curve-undo]").disabled = false;
    return true;
  }

  undo() {
    const before = this.past.pop();
    if (!before) return;
    const { kind, below, rows } = JSON.parse(before);
    this.root.querySelector(`[data-curve-shape][value="${kind}"]`).checked = true;
    this.root.querySelector("[data-curve-below]").value = below;
    this.replaceRows(rows);
    this.kept = before;
    this.read({ mark: true });
    this.draw();
    const button = this.root.querySelector("[data-curve-undo]");
    button.disabled = !this.past.length;
    if (button.disabled && document.activeElement === document.body) this.root.querySelector("[data-curve-add]").focus();
    this.say(this.texts.undone);
    this.root.dispatchEvent(new Event("change", { bubbles: true }));
  }

  replaceRows(rows) {
    const every = this.rows.all;
    for (const row of every.slice(rows.length)) this.rows.remove(row);
    rows.forEach(([value, points], place) => {
      const row = every[place] ?? this.rows.add({ reuse: false });
      this.rows.value(row).value = value;
      this.rows.points(row).value = points;
    });
  }

  say(sentence) {
    this.root.querySelector("[data-curve-said]").textContent = sentence;
    this.root.querySelector("[data-curve-now]").textContent = "";
  }

  /** Say why nothing was done, where everybody sees it. */
  refuse(sentence) {
    this.say(sentence);
    this.root.querySelector("[data-curve-now]").textContent = sentence;
  }

  /** Set a knot to a value and points, within its neighbours. */
  set(row, { value, points }, options) {
    const before = row === "below" ? this.curve.below : this.curve.knots.find((knot) => knot.row === row).points;
    const reached = points === before ? points : clamp(Math.round(points), 0, 100);
    if (row === "below") {
      this.curve.below = reached;
      this.rows.writeBelow(reached);
      this.draw(options);
      return;
    }
    const { knots } = this.curve;
    const place = knots.findIndex((knot) => knot.row === row);
    const knot = knots[place];
    const step = this.distribution.step(this.plot.range);
    const [least, most] = [knots[place - 1]?.value, knots[place + 1]?.value];
    const snapped = value === knot.value ? value : rounded(Math.round(value / step) * step);
    const floor = least === undefined ? this.floor(knot) : rounded(least + step);
    const ceiling = most === undefined ? Infinity : rounded(most - step);
    knot.value = ceiling < floor ? knot.value : clamp(snapped, floor, ceiling);
    knot.points = reached;
    this.rows.write(row, knot);
    this.draw(options);
  }

  /** The least value of the first knot: where no account is below zero, zero. */
  floor(knot) {
    const { min } = this.distribution;
    return min !== null && min >= 0 ? Math.min(0, knot.value) : -Infinity;
  }

  /** Put a knot at a value, on the curve or at these points, and the focus on it. */
  add(value, points = null) {
    const { knots } = this.curve;
    if (knots.length >= this.setup.most) return this.refuse(this.texts.too_many);
    const step = this.distribution.step(this.plot.range);
    const snapped = rounded(Math.round(value / step) * step);
    const taken = knots.find((knot) => knot.value === snapped);
    if (taken) return this.plot.knots.get(taken.row).focus();
    const reached = Math.round(points ?? pointsAt(this.curve, snapped));
    const row = this.rows.add();
    this.rows.write(row, { value: snapped, points: reached });
    this.settle();
    this.plot.knots.get(row).focus();
    const at = this.plot.words(this.curve, this.curve.knots.find((knot) => knot.row === row));
    return this.commit(fill(this.texts.added, { at }));
  }

  remove(row) {
    const { knots, kind } = this.curve;
    const place = knots.findIndex((knot) => knot.row === row);
    if (place < 0) return;
    if (knots.length <= this.setup.least[kind]) {
      this.refuse(this.texts.too_few);
      return;
    }
    this.rows.remove(row);
    this.settle();
    const next = this.curve.knots[Math.min(place, this.curve.knots.length - 1)];
    this.plot.knots.get(next.row).focus();
    this.commit(this.texts.removed);
  }

  /** Read the table, put its rows in order, draw. */
  settle(options) {
    this.read(options);
    this.rows.sort(this.curve.knots);
    this.draw();
  }

  suggest() {
    const direction = this.root.querySelector("[data-curve-direction]").value;
    const found = suggest(this.kind, direction, this.distribution, this.distribution.visible([]));
    if (!found) {
      this.refuse(this.texts.no_spread);
      return;
    }
    this.replaceRows(found.knots.map(() => ["", ""]));
    this.rows.all.forEach((row, place) => this.rows.write(row, found.knots[place]));
    this.rows.writeBelow(this.kind === "bands" ? found.below : null);
    this.settle();
    this.commit(fill(this.texts.suggested, { count: shown(this.distribution.total) }));
  }

  listen() {
    const { root } = this;
    root.addEventListener("input", () => { this.read(); this.draw(); });
    root.addEventListener("change", (event) => this.typed(event));
    root.addEventListener("click", (event) => this.clicked(event.target));
    root.addEventListener("keydown", (event) => this.pressed(event));
    this.plot.svg.addEventListener("pointerdown", (event) => this.grab(event));
    this.plot.svg.addEventListener("dblclick", (event) => {
      if (event.target.closest(".plot-handle")) return;
      const { value, points } = this.plot.under(event);
      this.add(value, this.curve.knots.length < 2 ? points : null);
    });
    for (const name of ["pointerover", "pointerout", "focusin", "focusout"]) {
      this.plot.svg.addEventListener(name, () => this.plot.guide());
    }
  }

  /** What was typed or chosen in the table or the tools is complete. */
  typed(event) {
    if (event.target === this.root || event.target.matches("[data-curve-direction]")) return;
    if (event.target.matches("[data-curve-shape]") && this.kind === "bands" && this.rows.readBelow() === null) {
      this.rows.writeBelow(this.curve.knots[0]?.points ?? 0);
    }
    this.settle({ mark: true });
    // The page hears this event itself, so no other is sent.
    this.remember();
  }

  clicked(target) {
    if (target.closest("[data-curve-undo]")) this.undo();
    else if (target.closest("[data-curve-suggest]")) this.suggest();
    else if (target.closest("[data-curve-add]")) {
      if (this.rows.all.length >= this.setup.most) this.refuse(this.texts.too_many);
      else this.rows.value(this.rows.add()).focus();
    } else if (target.closest("[data-curve-drop]")) {
      const row = target.closest("[data-curve-entry]");
      const next = row.nextElementSibling ?? row.previousElementSibling;
      this.rows.remove(row);
      (next?.querySelector("[data-curve-drop]") ?? this.root.querySelector("[data-curve-add]")).focus();
      this.settle();
      this.commit(this.texts.removed);
    }
  }

  pressed(event) {
    if (event.isComposing || event.altKey) return;
    const handle = event.target.closest(".plot-handle");
    if (handle && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      this.undo();
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    if (handle) this.pressedKnot(event, this.plot.rowOf(handle));
    else if (event.key === "Enter" && event.target.matches("input.input")) this.pressedCell(event);
  }

  pressedKnot(event, row) {
    const knot = row === "below" ? { row, value: -Infinity, points: this.curve.below } : this.curve.knots.find((one) => one.row === row);
    if (MOVES[event.key]) {
      const [right, up] = MOVES[event.key].map((move) => move * (event.shiftKey ? FARTHER : 1));
      const step = this.distribution.step(this.plot.range);
      this.set(row, { value: right ? rounded(knot.value + right * step) : knot.value, points: knot.points + up });
      this.commit();
    } else if (event.key === "Enter") {
      this.addAfter(knot);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.remove(row);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Halfway to the next knot; behind the last one, halfway to the edge. */
  addAfter(knot) {
    const { knots } = this.curve;
    const [low, high] = this.plot.range;
    const start = Math.max(knot.value, low);
    const next = knots.find((one) => one.value > knot.value)?.value ?? high;
    this.add((start + next) / 2);
  }

  /** Enter goes to the cell below, as in a sheet, instead of sending the form. */
  pressedCell(event) {
    event.preventDefault();
    const column = event.target.matches("[data-curve-value]") ? "[data-curve-value]" : "[data-curve-below], [data-curve-points]";
    const cells = [...this.root.querySelectorAll(column)].filter((input) => input.checkVisibility());
    const next = cells[cells.indexOf(event.target) + 1];
    event.target.blur();
    (next ?? event.target).select();
  }

  grab(event) {
    const handle = event.target.closest(".plot-handle");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    handle.focus({ preventScroll: true });
    handle.setPointerCapture(event.pointerId);
    handle.classList.add("is-held");
    const row = this.plot.rowOf(handle);
    const held = row === "below" ? { value: 0, points: this.curve.below } : this.curve.knots.find((knot) => knot.row === row);
    const start = this.plot.under(event);
    const from = { value: held.value, points: held.points };
    const move = (moved) => {
      const now = this.plot.under(moved);
      const across = now.value - start.value;
      const value = across ? clamp(from.value + across, ...this.plot.range) : from.value;
      this.set(row, { value, points: from.points + now.points - start.points }, { keepRange: true });
    };
    const drop = () => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("lostpointercapture", drop);
      handle.classList.remove("is-held");
      this.draw();
      this.commit();
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", drop);
  }
}
