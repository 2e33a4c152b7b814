// Line numbers beside a text box. The box keeps its own scrolling; the numbers follow it.
const attach = (box) => {
  if (box.classList.contains("has-gutter")) return;
  const text = box.querySelector("textarea");
  const gutter = document.createElement("div");
  const numbers = document.createElement("div");
  gutter.className = "ps-edit__gutter";
  gutter.setAttribute("aria-hidden", "true");
  gutter.append(numbers);
  box.prepend(gutter);
  box.classList.add("has-gutter");
  let shown = 0;
  const draw = () => {
    const lines = text.value.split("\n").length;
    if (lines === shown) return;
    shown = lines;
    numbers.textContent = Array.from({ length: lines }, (_, index) => index + 1).join("\n");
    text.rows = Math.min(Math.max(lines + 1, 4), 30);
  };
  // The numbers move by a scroll offset, so that no style has to be written into the page.
  const follow = () => { gutter.scrollTop = text.scrollTop; };
  text.addEventListener("input", () => { draw(); follow(); });
  text.addEventListener("scroll", follow);
  new ResizeObserver(() => { gutter.style.height = `${text.offsetHeight}px`; }).observe(text);
  draw();
};

const attachAll = (root) => root.querySelectorAll("[data-lines]").forEach(attach);
attachAll(document);
document.addEventListener("editor:added", (event) => attachAll(event.target));
