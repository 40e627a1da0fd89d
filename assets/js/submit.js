// Control or Command with Enter sends the form that one is typing in, where the form asks for it.
export function startSubmitting() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    const form = event.target.closest?.("form[data-submit-on-mod-enter]");
    if (!form) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
