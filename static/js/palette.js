// The search palette: a dialog with a combobox and its list (WAI-ARIA APG, “combobox with list autocomplete”). The list comes from
// the server (htmx, with a pause while typing); the focus stays in the field. Without JavaScript the search page does the same.
const dialog = document.querySelector("[data-palette]");

const field = dialog?.querySelector("[role=combobox]");
const list = () => dialog.querySelector("[role=listbox]");
const options = () => [...dialog.querySelectorAll("[role=option]")];
const chosen = () => dialog.querySelector("[aria-selected=true]");
// An answer to what was typed before says nothing about what is typed now.
const isCurrent = () => list().dataset.query === field.value.trim();

const choose = (option) => {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
};

const move = (step) => {
  const all = options();
  if (!all.length) return;
  const at = all.indexOf(chosen());
  choose(all[at === -1 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]);
};

const open = (event) => {
  event?.preventDefault();
  if (dialog.open) return field.select();
  dialog.showModal();
  field.focus();
  field.select();
  return window.htmx?.trigger(field, "palette:ask");
};

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  PageDown: () => move(8),
  PageUp: () => move(-8),
};

if (dialog) {
  document.addEventListener("search:open", open);
  for (const box of document.querySelectorAll("[data-search]")) {
    box.addEventListener("pointerdown", open);
  }
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // a key that ends the composing of a character chooses nothing
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  const form = dialog.querySelector("form");
  // Enter that came before the list did: it holds for the list that is on its way.
  let isWaiting = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isCurrent()) chosen()?.click();
    else if (field.value.trim()) {
      isWaiting = true;
      window.htmx.trigger(field, "palette:ask");
    }
  });
  field.addEventListener("input", () => {
    isWaiting = false;
  });
  for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    // The search page says what is wrong, and asks to sign in again where that is it.
    dialog.addEventListener(failure, () => isWaiting && form.submit());
  }
  // A click beside the dialog hits the dialog element itself, which its content covers otherwise.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-palette-close]")) dialog.close();
  });
  dialog.addEventListener("close", () => {
    isWaiting = false;
    field.setAttribute("aria-expanded", "false");
  });
  dialog.addEventListener("htmx:afterSwap", () => {
    const all = options();
    field.setAttribute("aria-expanded", String(all.length > 0));
    choose(all[0]);
    dialog.querySelector("[data-palette-status]").textContent = all.length === 1 ? "1 result" : `${all.length} results`;
    if (isWaiting && isCurrent()) {
      isWaiting = false;
      chosen()?.click();
    }
  });
}
