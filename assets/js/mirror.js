// A slider beside a number field: each follows the other. `<input type="range" data-mirror="id of the field" hidden>`.
export function startMirrors() {
  document.addEventListener("input", (event) => {
    const { target } = event;
    if (target.matches?.("[data-mirror]")) follow(document.getElementById(target.dataset.mirror), target);
    else if (target.id) follow(document.querySelector(`[data-mirror="${CSS.escape(target.id)}"]`), target);
  });
  document.addEventListener("htmx:load", (event) => show(event.detail.elt));
  show(document);
}

function show(root) {
  for (const slider of root.querySelectorAll("[data-mirror]")) {
    follow(slider, document.getElementById(slider.dataset.mirror));
    slider.hidden = false;
  }
}

function follow(one, other) {
  if (one && other?.value) one.value = other.value;
}
