// Line numbers beside a text box whose lines wrap. A copy of the text behind the box, set in the same type, says how high each
// line is; the numbers hang on its lines.
const LINE_PX = 20;
const MIN_ROWS = 4;
const MAX_ROWS = 30;

const attach = (box) => {
  if (box.classList.contains("has-numbers")) return;
  const text = box.querySelector("textarea");
  const copy = document.createElement("div");
  copy.className = "ps-edit__lines";
  copy.setAttribute("aria-hidden", "true");
  box.prepend(copy);
  box.classList.add("has-numbers");

  const draw = () => {
    const lines = text.value.split("\n");
    while (copy.childElementCount > lines.length) copy.lastElementChild.remove();
    while (copy.childElementCount < lines.length) copy.append(document.createElement("div"));
    lines.forEach((line, index) => {
      const shown = line || "\u200b"; // an empty line is as high as any other
      if (copy.children[index].textContent !== shown) copy.children[index].textContent = shown;
    });
    const last = copy.lastElementChild;
    const rows = Math.round((last.offsetTop + last.offsetHeight - copy.firstElementChild.offsetTop) / LINE_PX) + 1;
    text.rows = Math.min(Math.max(rows, MIN_ROWS), MAX_ROWS);
    copy.scrollTop = text.scrollTop;
  };
  text.addEventListener("input", draw);
  text.addEventListener("scroll", () => { copy.scrollTop = text.scrollTop; });
  new ResizeObserver(draw).observe(box);
  draw();
};

const attachAll = (root) => root.querySelectorAll("[data-lines]").forEach(attach);
attachAll(document);
document.addEventListener("editor:added", (event) => attachAll(event.target));
