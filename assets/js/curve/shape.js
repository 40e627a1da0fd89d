// What a curve says of a value; the same as common/curves/shape.py. A curve here: {kind, below, knots: [{value, points}]}.
export const THIRDS = [40, 70];

export function pointsAt(curve, found) {
  const { knots } = curve;
  if (curve.kind === "bands") return knots.findLast((knot) => knot.value <= found)?.points ?? curve.below;
  if (!knots.length) return 0;
  if (found <= knots[0].value) return knots[0].points;
  for (let place = 1; place < knots.length; place += 1) {
    const [low, high] = [knots[place - 1], knots[place]];
    if (found < high.value) return low.points + ((found - low.value) * (high.points - low.points)) / (high.value - low.value);
  }
  return knots.at(-1).points;
}

/** The corners of the curve between two values, in order. */
export function outline(curve, low, high) {
  let at = pointsAt(curve, low);
  const corners = [[low, at]];
  for (const { value, points } of curve.knots) {
    if (value <= low || value >= high) continue;
    if (curve.kind === "bands") corners.push([value, at]);
    corners.push([value, points]);
    at = points;
  }
  corners.push([high, curve.kind === "bands" ? at : pointsAt(curve, high)]);
  return corners;
}

export function third(points) {
  return THIRDS.filter((edge) => points >= edge).length;
}

/** Values between which the points stay within one third, ascending. */
function cuts(curve) {
  const found = new Set(curve.knots.map((knot) => knot.value));
  if (curve.kind === "line") {
    curve.knots.slice(1).forEach((high, place) => {
      const low = curve.knots[place];
      for (const edge of THIRDS) {
        if (Math.min(low.points, high.points) < edge && edge < Math.max(low.points, high.points)) {
          found.add(low.value + ((edge - low.points) * (high.value - low.value)) / (high.points - low.points));
        }
      }
    });
  }
  return [...found].sort((one, other) => one - other);
}

/** How many accounts would get 0 to 39, 40 to 69 and 70 to 100 points; values spread evenly within a bin. */
export function thirds(curve, bins) {
  const found = [0, 0, 0];
  const every = cuts(curve);
  for (const bin of bins) {
    const edges = [bin.from, ...every.filter((cut) => bin.from < cut && cut < bin.to), bin.to];
    for (let place = 1; place < edges.length; place += 1) {
      const [start, end] = [edges[place - 1], edges[place]];
      const part = bin.to > bin.from ? (end - start) / (bin.to - bin.from) : 1;
      found[third(pointsAt(curve, (start + end) / 2))] += bin.count * part;
    }
  }
  return wholeThirds(found);
}

export function wholeThirds([few, some, many]) {
  const [first, second, all] = [Math.round(few), Math.round(few + some), Math.round(few + some + many)];
  return [first, second - first, all - second];
}
