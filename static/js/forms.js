// Forms: the error summary takes the focus, a form is not sent twice, a name that must be typed is checked at once.
const focusFirst = (root) => root.querySelector("[data-focus-first]")?.focus();
focusFirst(document);
document.addEventListener("htmx:afterSwap", (event) => focusFirst(event.target));

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.matches("[hx-post]")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
  return undefined;
});

// Coming back with the browser's button shows the form as it was: it may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

// Ctrl-Enter sends the form from a text of several lines, where Enter begins a line. A form that saves by itself is left alone.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.matches("textarea")) return;
  const form = event.target.form;
  if (!form || form.method !== "post" || form.matches("[data-editor]")) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector(".btn-primary, .btn-danger"));
});

document.addEventListener("input", (event) => {
  const wanted = event.target.dataset?.mustEqual;
  if (wanted === undefined) return;
  event.target.setCustomValidity(event.target.value === wanted ? "" : `Type “${wanted}” exactly.`);
});
