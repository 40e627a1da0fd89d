// The drawing: bars of the distribution, the curve over them, and its knots as sliders. Places are percentages of the box.
import { clamp } from "./distribution.js";
import { fill, pointsWords, shown, ticks } from "./numbers.js";
import { THIRDS, outline } from "./shape.js";

const SVG = "http://www.w3.org/2000/svg";
const LEVELS = [0, ...THIRDS, 100];
const TONES = ["poor", "watch", "good"];
const NEAR_EDGE = 12;

function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const part = (number) => `${Math.round(number * 100) / 100}%`;
const anchor = (x) => (x < NEAR_EDGE ? "start" : x > 100 - NEAR_EDGE ? "end" : "middle");

export class Plot {
  constructor(stage, { label, unit, texts, distribution }) {
    Object.assign(this, { stage, unit, texts, distribution, range: [0, 1], knots: new Map() });
    this.bars = make("g");
    this.line = make("polyline");
    this.axis = make("g");
    this.guides = make("path", { class: "plot-guide", "vector-effect": "non-scaling-stroke" });
    this.handles = make("g");
    const stretched = { viewBox: "0 0 100 100", preserveAspectRatio: "none", width: "100%", height: "100%" };
    this.svg = make(
      "svg",
      { class: "plot plot-live", role: "group", "aria-label": label },
      make("rect", { class: "plot-ground", width: "100%", height: "100%" }),
      this.bars,
      this.levels(),
      this.axis,
      make("svg", { ...stretched, class: "plot-curve" }, this.guides, this.line),
      this.handles,
    );
    stage.replaceChildren(this.svg);
  }

  levels() {
    const strips = TONES.map((tone, place) =>
      make("rect", { class: `plot-third-${tone}`, x: -5, width: 3, y: part(100 - LEVELS[place + 1]), height: part(LEVELS[place + 1] - LEVELS[place]) }));
    return make("g", { "aria-hidden": "true" }, ...strips, ...LEVELS.flatMap((level) => [
      make("line", { class: "plot-level", x1: 0, x2: "100%", y1: part(100 - level), y2: part(100 - level) }),
      make("text", { class: "plot-label", x: -9, y: part(100 - level), dy: "0.32em", "text-anchor": "end" }, String(level)),
    ]));
  }

  x(value) {
    return ((value - this.range[0]) / (this.range[1] - this.range[0])) * 100;
  }

  /** Value and points under the pointer. */
  under(event) {
    const box = this.svg.getBoundingClientRect();
    const [low, high] = this.range;
    return {
      value: low + clamp((event.clientX - box.left) / box.width, 0, 1) * (high - low),
      points: clamp(1 - (event.clientY - box.top) / box.height, 0, 1) * 100,
    };
  }

  /** Draw a curve; the range stays while a knot is in the hand. */
  draw(curve, { keepRange = false } = {}) {
    if (!keepRange) this.measure(curve);
    const corners = curve.knots.length ? outline(curve, ...this.range) : [];
    this.line.setAttribute("points", corners.map(([value, points]) => `${this.x(value).toFixed(3)},${(100 - points).toFixed(3)}`).join(" "));
    this.drawKnots(curve);
    this.guide();
  }

  measure(curve) {
    const range = this.distribution.visible(curve.knots.map((knot) => knot.value));
    if (range.every((end, place) => end === this.range[place]) && this.axis.hasChildNodes()) return;
    this.range = range;
    const bars = this.distribution.bars(range);
    const gap = Math.min(...bars.map((bar) => 0.15 * bar.width), 100);
    this.bars.replaceChildren(...bars.flatMap((bar) => [
      make("rect", { class: "plot-bar", x: part(bar.x + gap / 2), y: part(100 - bar.height), width: part(bar.width - gap), height: part(bar.height) }),
      ...(bar.isCut ? [make("line", { class: "plot-cut", x1: part(bar.x), y1: "9%", x2: part(bar.x + bar.width), y2: "6%" })] : []),
    ]));
    this.axis.replaceChildren(
      ...ticks(...range).map(([value, label]) =>
        make("text", { class: "plot-label", x: part(this.x(value)), y: "100%", dy: "1.9em", "text-anchor": "middle" }, label)),
      ...this.spread(),
    );
  }

  /** Under the axis: where nine in ten of the accounts are, the middle half, and the median. */
  spread() {
    const { p5, p25, p50, p75, p95 } = this.distribution.quantiles;
    if ([p5, p25, p50, p75, p95].some((quantile) => quantile === undefined)) return [];
    const at = (value) => part(clamp(this.x(value), 0, 100));
    return [make("svg", { y: "100%", class: "plot-spread" },
      make("line", { class: "plot-most", x1: at(p5), x2: at(p95), y1: 6, y2: 6 }),
      make("line", { class: "plot-half", x1: at(p25), x2: at(p75), y1: 6, y2: 6 }),
      make("line", { class: "plot-median", x1: at(p50), x2: at(p50), y1: 2, y2: 10 }))];
  }

  /** One slider for each knot, kept as long as its row is, so that focus and a held pointer stay on it. */
  drawKnots(curve) {
    const wanted = curve.kind === "bands" && curve.knots.length ? [{ row: "below", points: curve.below }, ...curve.knots] : curve.knots;
    for (const [row, handle] of this.knots) {
      if (wanted.some((knot) => knot.row === row)) continue;
      handle.remove();
      this.knots.delete(row);
    }
    wanted.forEach((knot, place) => {
      const handle = this.knots.get(knot.row) ?? this.newHandle(knot.row);
      const x = knot.row === "below" ? 0 : this.x(knot.value);
      for (const circle of handle.querySelectorAll("circle")) {
        circle.setAttribute("cx", part(x));
        circle.setAttribute("cy", part(100 - knot.points));
      }
      const isHigh = knot.points > 86;
      const label = handle.querySelector("text");
      label.textContent = this.words(curve, knot);
      for (const [name, value] of Object.entries({ x: part(x), y: part(100 - knot.points), dy: isHigh ? "1.9em" : "-1.1em", "text-anchor": anchor(x) })) label.setAttribute(name, value);
      handle.setAttribute("aria-label", this.nameOf(curve, knot, place, wanted));
      handle.setAttribute("aria-valuenow", String(Math.round(knot.points * 10) / 10));
      handle.setAttribute("aria-valuetext", this.words(curve, knot));
      if (this.handles.children[place] !== handle && !handle.matches(":focus, .is-held")) {
        this.handles.insertBefore(handle, this.handles.children[place] ?? null);
      }
    });
  }

  newHandle(row) {
    const handle = make(
      "g",
      { class: "plot-handle", role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "vertical" },
      make("circle", { class: "plot-reach", r: 14 }),
      make("circle", { class: "plot-halo", r: 9 }),
      make("circle", { class: "plot-knot", r: 4.5 }),
      make("text", { class: "plot-said", "aria-hidden": "true" }),
    );
    if (row === "below") handle.classList.add("plot-handle-below");
    this.knots.set(row, handle);
    this.handles.append(handle);
    return handle;
  }

  nameOf(curve, knot, place, wanted) {
    if (knot.row === "below") return this.texts.below;
    const ahead = wanted.length - curve.knots.length;
    const values = { number: place + 1 - ahead, total: curve.knots.length };
    return fill(curve.kind === "bands" ? this.texts.band : this.texts.knot, values);
  }

  valueWords(value) {
    return this.unit ? `${shown(value)}\u00a0${this.unit}` : shown(value);
  }

  words(curve, knot) {
    const points = pointsWords(knot.points, this.texts.points);
    if (knot.row === "below") return fill(this.texts.under, { value: this.valueWords(curve.knots[0].value), points });
    return fill(curve.kind === "bands" ? this.texts.from : this.texts.at, { value: this.valueWords(knot.value), points });
  }

  rowOf(handle) {
    return [...this.knots].find(([, one]) => one === handle)?.[0];
  }

  /** Thin lines from the knot in use to both axes. */
  guide() {
    const handle = this.svg.querySelector(".plot-handle:is(.is-held, :focus-visible, :hover)");
    const circle = handle?.querySelector("circle");
    const [x, y] = circle ? [circle.getAttribute("cx"), circle.getAttribute("cy")].map(Number.parseFloat) : [];
    this.guides.setAttribute("d", circle ? `M0 ${y}H${x}V100` : "");
  }
}
