// A drawing or its numbers as a table: one press turns to the other side.
export function startFigures() {
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-chart-toggle]");
    if (!toggle) return;
    const figure = toggle.closest("figure");
    const asTable = figure.dataset.view !== "table";
    figure.dataset.view = asTable ? "table" : "plot";
    toggle.setAttribute("aria-pressed", String(asTable));
    figure.dispatchEvent(new CustomEvent("figure-view", { bubbles: true }));
  });
}
