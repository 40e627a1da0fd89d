// A button [data-insert] puts its merge value where one last wrote in a field [data-insert-into].
export function startInserting() {
  let last = null;
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-insert-into]")) last = event.target;
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const form = button.closest("form");
    const field = last && form.contains(last) ? last : [...form.querySelectorAll("[data-insert-into]")].pop();
    field.focus();
    field.setRangeText(`{{ ${button.dataset.insert} }}`, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
