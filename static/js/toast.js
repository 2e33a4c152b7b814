// Toasts: Django's messages on load, and `HX-Trigger: {"toast": {"level", "text"}}` from fragments. Good news leaves by
// itself, unless somebody is reading it; errors stay until they are dismissed.
const region = document.querySelector("[data-toasts]");
const STAYS_MS = 8000;

const leaveLater = (toast) => {
  if (toast.matches(".ps-toast--error, .ps-toast--warning")) return;
  let timer;
  const start = () => { timer = setTimeout(() => toast.remove(), STAYS_MS); };
  const hold = () => clearTimeout(timer);
  for (const name of ["mouseenter", "focusin"]) toast.addEventListener(name, hold);
  for (const name of ["mouseleave", "focusout"]) toast.addEventListener(name, start);
  start();
};

if (region) {
  for (const toast of region.querySelectorAll("[data-toast]")) leaveLater(toast);

  document.addEventListener("click", (event) => {
    event.target.closest("[data-close-toast]")?.closest("[data-toast]").remove();
  });

  document.addEventListener("toast", (event) => {
    const { level = "info", text = "" } = event.detail ?? {};
    const template = document.querySelector("[data-toast-template]");
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.classList.add(`ps-toast--${level}`);
    toast.querySelector("p").textContent = text;
    region.append(toast);
    leaveLater(toast);
  });
}
