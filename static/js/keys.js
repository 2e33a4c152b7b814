// Keyboard: search, rows of tables, keys of buttons. Single keys can be switched off (WCAG 2.1.4); Ctrl-K and keys inside a
// focused table always work.
const STORE = "promptstore.single-keys";
const singleKeysOn = () => localStorage.getItem(STORE) !== "off";

const isTyping = (target) =>
  target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

// The palette (palette.js) opens on this; on a page without one the field in the head takes the focus.
const search = (event) => {
  if (!document.dispatchEvent(new CustomEvent("search:open", { cancelable: true }))) return event.preventDefault();
  const field = document.querySelector("[data-search]");
  if (!field) return undefined;
  event.preventDefault();
  field.focus();
  return field.select();
};

const rowsOf = (table) => [...table.querySelectorAll("tbody tr")].filter((row) => row.querySelector("a[href]"));

const moveInTable = (event) => {
  const table = event.target.closest("[data-rows]") ?? event.target.querySelector?.("[data-rows]");
  if (!table || isTyping(event.target)) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = rowsOf(table);
  const current = rows.indexOf(event.target.closest("tr"));
  const next = rows[current === -1 ? (step === 1 ? 0 : -1) : current + step];
  const link = next?.querySelector("a.ps-row-link, a[href]");
  if (!link) return;
  event.preventDefault();
  link.focus();
};

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return search(event);
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  moveInTable(event);
  if (event.defaultPrevented || isTyping(event.target) || !singleKeysOn()) return undefined;
  if (event.key === "/") return search(event);
  const keyed = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (keyed && !keyed.disabled) {
    event.preventDefault();
    keyed.click();
  }
  return undefined;
});

// A click anywhere in a row opens it, unless it selects text or hits something of its own.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-rows] tbody tr")?.querySelector("a.ps-row-link");
  if (!link || event.target.closest("a, button, input, select, label, summary") || String(getSelection())) return;
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

for (const box of document.querySelectorAll("[data-single-keys]")) {
  box.checked = singleKeysOn();
  box.addEventListener("change", () => localStorage.setItem(STORE, box.checked ? "on" : "off"));
}
