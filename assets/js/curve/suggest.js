// Knots at the quantiles of a distribution, in the direction that is good.
import { nice, rounded } from "./numbers.js";

const SHARES = { p5: 0.05, p25: 0.25, p50: 0.5, p75: 0.75, p95: 0.95 };
const LINES = {
  higher: { p5: 0, p25: 40, p50: 70, p75: 90, p95: 100 },
  lower: { p5: 100, p25: 90, p50: 70, p75: 40, p95: 0 },
  middle: { p5: 0, p25: 70, p50: 100, p75: 70, p95: 0 },
};
const BANDS = {
  higher: { below: 0, p25: 40, p50: 70, p75: 100 },
  lower: { below: 100, p25: 70, p50: 40, p75: 0 },
  middle: { below: 0, p5: 40, p25: 100, p75: 40, p95: 0 },
};

/** A curve of this kind, or null when the accounts hardly differ. */
export function suggest(kind, direction, distribution, range) {
  const { below = 0, ...wanted } = (kind === "bands" ? BANDS : LINES)[direction];
  const step = Math.max(distribution.isWhole ? 1 : 0, nice((range[1] - range[0]) / 100));
  const groups = new Map();
  for (const [name, points] of Object.entries(wanted)) {
    const exact = distribution.quantiles[name] ?? distribution.quantile(SHARES[name]);
    if (exact === null) return null;
    const value = rounded(Math.round(exact / step) * step);
    groups.set(value, [...(groups.get(value) ?? []), points]);
  }
  const every = [...groups.keys()].sort((one, other) => one - other);
  if (every.length < 2) return null;
  const knots = every.map((value, place) => ({ value, points: settled(groups.get(value), place, every.length, kind, direction) }));
  // Where no account lies below the first band, that band stands for what would have been below it.
  if (kind === "bands" && every[0] <= distribution.bins[0].from) knots[0].points = below;
  return { kind, below, knots };
}

/** Several quantiles at one value: the outermost at the ends, otherwise what lies between them. */
function settled(points, place, count, kind, direction) {
  if (kind === "bands") return points.at(-1);
  if (direction === "middle") return Math.max(...points);
  if (place === 0) return points[0];
  if (place === count - 1) return points.at(-1);
  return Math.round(points.reduce((sum, one) => sum + one, 0) / points.length);
}
