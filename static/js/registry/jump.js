// A finding's link puts the caret at its line and column. Columns count code points, carets count UTF-16 units.
const units = (line, column) => [...line].slice(0, column - 1).join("").length;

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-jump]");
  const box = link && document.getElementById(link.dataset.jump);
  if (!box) return;
  event.preventDefault();
  box.closest("details")?.setAttribute("open", "");
  if (!link.dataset.line) {
    box.scrollIntoView({ block: "center" });
    box.focus({ preventScroll: true });
    return;
  }
  const lines = box.value.split("\n");
  const row = Math.min(Number(link.dataset.line), lines.length) - 1;
  const before = lines.slice(0, row).reduce((sum, line) => sum + line.length + 1, 0);
  const at = before + Math.min(units(lines[row], Number(link.dataset.column)), lines[row].length);
  const line = box.parentElement.querySelector(".ps-edit__lines")?.children[row];
  box.scrollTop = Math.max((line?.offsetTop ?? 0) - box.clientHeight / 2, 0);
  box.scrollIntoView({ block: "center" });
  box.focus({ preventScroll: true });
  box.setSelectionRange(at, at);
});
