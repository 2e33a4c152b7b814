// Menus and confirms are <details>: this closes them on Escape and on a click outside, one open at a time, and keeps the
// panel inside the window.
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

document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-close-popover]");
  if (closer) return close(closer.closest("details"), { returnFocus: true });
  for (const details of open()) {
    if (!details.contains(event.target)) close(details);
  }
  return undefined;
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
    details.querySelector(".ps-confirm__panel :is(textarea, input:not([type=hidden]))")?.focus({ preventScroll: true });
  },
  true, // `toggle` does not bubble
);
