// Plots on pages that have them: <figure data-chart> with its data in a JSON script and the same numbers in a table.
import {
  BarController, BarElement, CategoryScale, Chart, Filler, Legend, LinearScale, LineController, LineElement,
  PointElement, Tooltip,
} from "chart.js";

Chart.register(
  BarController, BarElement, CategoryScale, Filler, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip,
);

const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];
const POINTS = ["circle", "triangle", "rect", "rectRot"];
const TONES = ["link", "watch-fill", "good-fill", "muted"];
const charts = new Map();

function colour(name) {
  const probe = document.createElement("span");
  probe.className = "hidden";
  probe.style.color = `var(--color-${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function hatch(tone, index) {
  if (index === 0) return tone;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.fillStyle = tone;
  pen.globalAlpha = 0.35;
  pen.fillRect(0, 0, 6, 6);
  pen.globalAlpha = 1;
  pen.strokeStyle = tone;
  pen.lineWidth = 2;
  pen.beginPath();
  if (index % 2) { pen.moveTo(0, 6); pen.lineTo(6, 0); } else { pen.moveTo(0, 3); pen.lineTo(6, 3); }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

function dataset(series, index, type) {
  const tone = colour(series.tone ? `${series.tone}-fill` : TONES[index % TONES.length]);
  const kind = series.type ?? type;
  return {
    label: series.label,
    data: series.data,
    type: kind,
    borderColor: tone,
    backgroundColor: kind === "bar" ? hatch(tone, index) : tone,
    borderWidth: kind === "bar" ? 1 : 2,
    borderDash: DASHES[index % DASHES.length],
    borderRadius: 2,
    pointStyle: POINTS[index % POINTS.length],
    pointRadius: series.data.length > 40 ? 0 : 2.5,
    pointHoverRadius: 4,
    tension: 0.2,
    spanGaps: false,
  };
}

/** Upright lines with words where something happened between the labels, such as a new version. */
const marks = {
  id: "marks",
  afterDatasetsDraw(chart, _given, { list, ink, paper }) {
    const { ctx: pen, chartArea: { top, bottom, left, right }, scales: { x } } = chart;
    if (!list?.length) return;
    const step = chart.data.labels.length > 1 ? x.getPixelForValue(1) - x.getPixelForValue(0) : 0;
    pen.save();
    pen.strokeStyle = pen.fillStyle = ink;
    pen.setLineDash([3, 3]);
    pen.font = `${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;
    pen.textBaseline = "top";
    for (const { at, label } of list) {
      const place = x.getPixelForValue(0) + at * step;
      pen.beginPath();
      pen.moveTo(place, top);
      pen.lineTo(place, bottom);
      pen.stroke();
      const fits = place + 4 + pen.measureText(label).width <= right;
      pen.textAlign = fits ? "left" : "right";
      const start = fits ? place + 4 : Math.max(place - 4, left);
      const width = pen.measureText(label).width;
      pen.fillStyle = paper;
      pen.fillRect((fits ? start : start - width) - 2, top, width + 4, Chart.defaults.font.size + 3);
      pen.fillStyle = ink;
      pen.fillText(label, start, top + 1);
    }
    pen.restore();
  },
};

function draw(figure) {
  const spec = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const locale = document.documentElement.lang;
  const ink = colour("muted");
  const rule = colour("base-300");
  const counted = spec.series.every((series) => series.data.every((value) => value === null || Number.isInteger(value)));
  charts.get(figure)?.destroy();
  const chart = new Chart(figure.querySelector("canvas"), {
    type: spec.type,
    plugins: [marks],
    data: { labels: spec.labels, datasets: spec.series.map((series, index) => dataset(series, index, spec.type)) },
    options: {
      locale,
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      font: { family: getComputedStyle(document.body).fontFamily },
      scales: {
        x: { stacked: Boolean(spec.stacked), grid: { display: false }, border: { color: rule }, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 16 } },
        y: {
          stacked: Boolean(spec.stacked), beginAtZero: spec.zero ?? true, min: spec.min, max: spec.max,
          grid: { color: rule }, border: { display: false }, ticks: { color: ink, maxTicksLimit: 5, precision: counted ? 0 : undefined },
        },
      },
      plugins: {
        marks: { list: spec.marks, ink, paper: colour("base-100") },
        legend: { display: spec.series.length > 1, align: "start", labels: { color: ink, usePointStyle: true, boxHeight: 6, boxWidth: 22 } },
        tooltip: {
          displayColors: spec.series.length > 1,
          callbacks: { label: (item) => `${item.dataset.label}: ${item.formattedValue}${spec.unit ? ` ${spec.unit}` : ""}` },
        },
      },
    },
  });
  charts.set(figure, chart);
}

function drawAll(root) {
  for (const [figure, chart] of charts) {
    if (figure.isConnected) continue;
    chart.destroy();
    charts.delete(figure);
  }
  const figures = root.querySelectorAll("[data-chart]");
  for (const figure of figures) if (!charts.has(figure)) draw(figure);
}

Chart.defaults.font.size = 11;
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
drawAll(document);
document.addEventListener("htmx:load", (event) => drawAll(event.target.parentElement ?? document));
document.addEventListener("theme-change", () => { for (const figure of charts.keys()) draw(figure); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const figure of charts.keys()) draw(figure); });
document.addEventListener("figure-view", (event) => {
  if (event.target.dataset.view === "plot") charts.get(event.target)?.resize();
});
