// Menus and confirms are <details>: this closes them on Escape, on a click outside and when the focus leaves, one open at a
// time, and keeps the panel inside the window.
const open = () => [...document.querySelectorAll("details[data-popover][open]")];

const close = (details, { returnFocus = false } = {}) => {
  details.open = false;
  if (returnFocus) details.querySelector("summary").focus();
};

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const innermost = open().at(-1);
  if (innermost) close(innermost, { returnFocus: true });
});

const enter = (details) =>
  details.querySelector(".ps-confirm__panel :is(textarea, input:not([type=hidden]))")?.focus({ preventScroll: true });

// A confirm takes the focus at once: `toggle` comes later, and what is typed until then would be read as single keys.
document.addEventListener("click", (event) => {
  const details = event.target.closest(".ps-confirm > summary")?.parentElement;
  if (!details || details.open || event.defaultPrevented) return;
  event.preventDefault();
  details.open = true;
  enter(details);
});

document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-close-popover]");
  if (closer) return close(closer.closest("details"), { returnFocus: true });
  for (const details of open()) {
    if (!details.contains(event.target)) close(details);
  }
  return undefined;
});

// Who tabs on must not be left behind an open panel. A confirm with words in it stays: they are not lost, and not hidden.
document.addEventListener("focusout", (event) => {
  const details = event.target.closest?.("details[data-popover][open]");
  if (!details || !event.relatedTarget || details.contains(event.relatedTarget)) return;
  if ([...details.querySelectorAll("textarea, input[type=text]")].some((field) => field.value !== field.defaultValue)) return;
  close(details);
});

document.addEventListener(
  "toggle",
  (event) => {
    const details = event.target;
    if (!details.matches?.("details[data-popover]") || !details.open) return;
    for (const other of open()) {
      if (other !== details && !other.contains(details)) close(other);
    }
    const panel = details.querySelector(".ps-menu__panel, .ps-confirm__panel");
    if (!panel) return;
    details.classList.remove("is-flipped");
    const { right } = panel.getBoundingClientRect();
    if (right > document.documentElement.clientWidth - 8) details.classList.add("is-flipped");
    if (!panel.matches(".ps-confirm__panel")) return;
    panel.scrollIntoView({ block: "nearest" });
    if (!details.contains(document.activeElement) || document.activeElement.matches("summary")) enter(details);
  },
  true, // `toggle` does not bubble
);
