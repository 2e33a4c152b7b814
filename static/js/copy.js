// Copy buttons: `data-copy` holds the text. The answer is spoken and shown for a moment.
const announce = (text) => {
  const region = document.querySelector("[data-toasts]");
  if (!region) return;
  const spoken = document.createElement("span");
  spoken.className = "visually-hidden";
  spoken.textContent = text;
  region.append(spoken);
  setTimeout(() => spoken.remove(), 2000);
};

const put = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain http on another host has no clipboard API.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done ? undefined : Promise.reject(new Error("copying was refused"));
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await put(button.dataset.copy);
    button.classList.add("is-copied");
    announce("Copied");
    setTimeout(() => button.classList.remove("is-copied"), 1500);
  } catch {
    announce("Copying was refused by the browser. Select the text and press Ctrl-C.");
  }
});
