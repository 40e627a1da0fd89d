// A thin line while the server is slow to answer; nothing at all while it is quick.
const PATIENCE_MS = 250;

export function startProgress() {
  const line = document.getElementById("progress");
  if (!line) return;
  let running = 0;
  let timer;
  document.addEventListener("htmx:beforeSend", () => {
    running += 1;
    if (running === 1) timer = setTimeout(() => { line.hidden = false; }, PATIENCE_MS);
  });
  document.addEventListener("htmx:afterRequest", () => {
    running = Math.max(0, running - 1);
    if (running) return;
    clearTimeout(timer);
    line.hidden = true;
  });
}
