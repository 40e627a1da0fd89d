// What is typed while an answer is on its way stays when the answer takes the place of its field.

const FIELDS = "input[id][name]:not([type=radio]):not([type=checkbox]):not([type=hidden]), textarea[id][name]";

export function startTyping() {
  const kept = new WeakMap();
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const sent = detail.requestConfig.formData;
    const typed = [...detail.target.querySelectorAll(FIELDS)].filter(
      (field) => sent.has(field.name) && !sent.getAll(field.name).includes(field.value),
    );
    kept.set(detail.xhr, typed);
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    for (const { id, value } of kept.get(detail.xhr) ?? []) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    kept.delete(detail.xhr);
  });
}
