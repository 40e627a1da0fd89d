// Builds static/ from assets/: `npm run build`. With --check it builds aside and compares.
import { execFileSync } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { icons } from "./icons.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const bundled = [
  "@github/combobox-nav",
  "@github/hotkey",
  "@github/relative-time-element",
  "chart.js",
  "daisyui",
  "htmx.org",
  "lucide-static",
  "sortablejs",
  "tailwindcss",
];

async function styles(out) {
  for (const name of ["app", "survey"]) {
    execFileSync(
      join(modules, ".bin", "tailwindcss"),
      ["--input", join(root, "assets", "css", `${name}.css`), "--output", join(out, "css", `${name}.css`), "--minify"],
      { cwd: root, stdio: ["ignore", "ignore", "pipe"] },
    );
  }
  await soften(join(out, "css", "survey.css"));
  await appendFile(join(out, "css", "app.css"), await drawings());
}

// Customers' phones may be older than light-dark(): those get the light theme.
async function soften(file) {
  const css = await readFile(file, "utf8");
  const softened = css.replace(/:root\{[^}]*\}/, (block) => {
    const light = block.replace(/light-dark\(([^,()]+),[^()]+\)/g, "$1").replace("color-scheme:light dark", "color-scheme:light");
    return `${light}@supports (color:light-dark(#000,#fff)){${block}}`;
  });
  await writeFile(file, softened);
}

async function scripts(out) {
  await build({
    absWorkingDir: root,
    entryPoints: { app: "assets/js/app.js", charts: "assets/js/charts.js", curve: "assets/js/curve/index.js", steps: "assets/js/steps.js" },
    outdir: join(out, "js"),
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
  });
  await cp(join(modules, "htmx.org", "dist", "htmx.min.js"), join(out, "js", "htmx.min.js"));
}

// An icon is one element, filled with its colour through a mask: drawn by reference, each would be five or six, and a
// page of rows has hundreds of icons.
async function drawings() {
  const rules = [];
  for (const [name, source] of Object.entries(icons).sort()) {
    const svg = await readFile(join(modules, "lucide-static", "icons", `${source}.svg`), "utf8");
    const shapes = svg
      .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
      .replace(/\s*\n\s*/g, "")
      .replaceAll(" />", "/>");
    const drawing =
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" stroke-width="2" ` +
      `stroke-linecap="round" stroke-linejoin="round">${shapes}</svg>`;
    const written = drawing.replaceAll('"', "'").replace(/[<>#%]/g, (sign) => encodeURIComponent(sign));
    rules.push(`.icon-of-${name}{--drawing:url("data:image/svg+xml,${written}")}`);
  }
  return `/* Lucide, ISC licence: see licenses.txt */\n${rules.join("")}\n`;
}

async function pictures(out) {
  await cp(join(root, "assets", "img"), join(out, "img"), { recursive: true });
}

async function licenses(out) {
  const parts = [];
  for (const name of bundled) {
    const folder = join(modules, name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? (await readFile(join(folder, file), "utf8")).trim() : license;
    parts.push(`${name} ${version} (${license})\n\n${text}\n`);
  }
  await writeFile(join(out, "licenses.txt"), parts.join(`\n${"-".repeat(72)}\n\n`));
}

async function buildInto(out) {
  await mkdir(join(out, "css"), { recursive: true });
  await Promise.all([styles(out), scripts(out), pictures(out), licenses(out)]);
}

async function files(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function check() {
  const out = await mkdtemp(join(tmpdir(), "assets-"));
  try {
    await buildInto(out);
    const stale = [];
    for (const name of await files(out)) {
      const [built, committed] = await Promise.all([
        readFile(join(out, name)),
        readFile(join(root, "static", name)).catch(() => null),
      ]);
      if (!committed || !built.equals(committed)) stale.push(name);
    }
    if (stale.length) {
      console.error(`static/ is out of date: ${stale.join(", ")}. Run "npm run build" and commit the result.`);
      process.exitCode = 1;
    }
  } finally {
    await rm(out, { recursive: true });
  }
}

await (process.argv.includes("--check") ? check() : buildInto(join(root, "static")));
