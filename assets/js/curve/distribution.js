// How a value is spread over the accounts, and what of it to draw; the same as common/curves/distribution.py.
import { nice } from "./numbers.js";

const TAIL = 0.01;
const MARGIN = 0.04;
const FROM_ZERO = 0.25;
const TALLEST = 2.5;
const STEPS = 200;

export class Distribution {
  constructor({ bins = [], counts = {}, missing = 0, quantiles = {}, min = null, max = null }) {
    Object.assign(this, { bins: [...bins].sort((one, other) => one.from - other.from), counts, missing, quantiles, min, max });
    this.total = this.bins.reduce((sum, bin) => sum + bin.count, 0) + Object.values(counts).reduce((sum, count) => sum + count, 0);
    const gaps = this.bins.slice(1).map((bin, place) => bin.from - this.bins[place].from).filter((gap) => gap > 0);
    this.gap = Math.min(...gaps, Infinity) === Infinity ? 1 : Math.min(...gaps);
    this.isExact = this.bins.some((bin) => bin.from === bin.to);
    this.isWhole = this.isExact && this.bins.every((bin) => Number.isInteger(bin.from) && Number.isInteger(bin.to));
  }

  quantile(share) {
    let left = share * this.total;
    for (const bin of this.bins) {
      if (bin.count && left <= bin.count) return bin.from + ((bin.to - bin.from) * left) / bin.count;
      left -= bin.count;
    }
    return this.bins.at(-1)?.to ?? null;
  }

  /** The range to draw: all but the last hundredth at each end, and the knots. */
  visible(values) {
    const ends = this.bins.length ? [this.quantile(TAIL), this.quantile(1 - TAIL)] : [];
    const [low, high] = widened([...ends, ...values]);
    return this.isExact ? [low - this.gap / 2, high + this.gap / 2] : [low, high];
  }

  /** The finest value that a hand can set in this range. */
  step([low, high]) {
    const step = nice((high - low) / STEPS);
    return this.isWhole ? Math.max(1, step) : step;
  }

  /** The bins as bars in percent of the drawing; areas tell the counts, one far above the others is cut. */
  bars([low, high]) {
    const drawn = [];
    for (const bin of this.bins) {
      const half = bin.from === bin.to ? this.gap / 2 : 0;
      const [start, end] = [Math.max(bin.from - half, low), Math.min(bin.to + half, high)];
      if (end > start && bin.count) drawn.push({ start, end, density: bin.count / (bin.to - bin.from + 2 * half) });
    }
    const heights = drawn.map((bar) => bar.density).sort((one, other) => other - one);
    const top = heights.length > 1 ? Math.min(heights[0], TALLEST * heights[1]) : heights[0];
    return drawn.map(({ start, end, density }) => ({
      x: ((start - low) / (high - low)) * 100,
      width: ((end - start) / (high - low)) * 100,
      height: Math.min(density / top, 1) * 100,
      isCut: density > top,
    }));
  }

  /** How many accounts lie below and above what is drawn. */
  beyond([low, high]) {
    let [below, above] = [0, 0];
    for (const { from, to, count } of this.bins) {
      const width = to - from;
      below += count * (width ? clamp((low - from) / width, 0, 1) : Number(from < low));
      above += count * (width ? clamp((to - high) / width, 0, 1) : Number(to > high));
    }
    return [Math.round(below), Math.round(above)];
  }
}

export function clamp(number, least, most) {
  return Math.min(Math.max(number, least), most);
}

function widened(values) {
  if (!values.length) return [0, 1];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least === most) {
    const room = Math.abs(least) / 2 || 1;
    return [least === 0 ? 0 : least - room, most + room];
  }
  const room = MARGIN * (most - least);
  return [least >= 0 && least < FROM_ZERO * most ? 0 : least - room, most + room];
}
