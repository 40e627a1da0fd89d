// How many accounts would get few, some and many points: a bar and its numbers.
import { shown, shownShare } from "./numbers.js";

const TONES = ["poor", "watch", "good", "none"];

export function showReadout(root, counts, everyone) {
  const readout = root.querySelector("[data-curve-readout]");
  if (!readout) return;
  const every = [...counts, everyone - counts.reduce((sum, count) => sum + count, 0)];
  let x = 0;
  TONES.forEach((tone, place) => {
    const share = everyone ? every[place] / everyone : 0;
    const bar = readout.querySelector(`rect.${tone}`);
    bar.setAttribute("x", `${x * 100}%`);
    bar.setAttribute("width", `${share * 100}%`);
    x += share;
    const part = readout.querySelector(`[data-curve-part="${tone}"]`);
    part.querySelector("[data-curve-count]").textContent = shown(every[place]);
    part.querySelector("[data-curve-share]").textContent = shownShare(share);
  });
}
