// Adds, removes and reorders messages in place. Without this, the same buttons post the form.
const list = document.querySelector("[data-messages]");
const template = document.getElementById("message-template");
const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

// Findings point at `message-<index>`, so ids follow the order.
const renumber = () => {
  list.querySelectorAll("[data-message]:not([hidden])").forEach((item, index) => {
    const number = index + 1;
    const role = item.querySelector("[data-role]");
    const text = item.querySelector("textarea");
    item.querySelector("label").htmlFor = role.id = `role-${index}`;
    item.querySelector("label").textContent = `Role of message ${number}`;
    text.id = `message-${index}`;
    text.setAttribute("aria-label", `Text of message ${number}`);
    item.querySelector("[data-move=up]").setAttribute("aria-label", `Move message ${number} up`);
    item.querySelector("[data-move=down]").setAttribute("aria-label", `Move message ${number} down`);
    item.querySelector("[data-remove]").setAttribute("aria-label", `Remove message ${number}`);
  });
};

const add = () => {
  const item = template.content.firstElementChild.cloneNode(true);
  list.append(item);
  item.querySelector("[data-role]").value = "user";
  item.dispatchEvent(new CustomEvent("editor:added", { bubbles: true }));
  renumber();
  item.querySelector("textarea").focus();
  changed(list);
};

const move = (item, direction) => {
  const shown = [...list.querySelectorAll("[data-message]:not([hidden])")];
  const other = shown[shown.indexOf(item) + (direction === "up" ? -1 : 1)];
  if (!other) return;
  if (direction === "up") other.before(item);
  else other.after(item);
  renumber();
  item.querySelector(`[data-move=${direction}]`).focus();
  changed(list);
};

// A removed message stays in the page, switched off, until the page is left: it can be taken back.
const remove = (item) => {
  if (list.querySelectorAll("[data-message]:not([hidden])").length === 1) return;
  const line = document.createElement("li");
  const undo = document.createElement("button");
  line.className = "ps-edit ps-edit--removed";
  line.append("Message removed.");
  undo.className = "btn btn-sm";
  undo.type = "button";
  undo.textContent = "Undo";
  line.append(undo);
  const switchOff = (off) => {
    item.hidden = off;
    item.querySelectorAll("[name]").forEach((control) => { control.disabled = off; });
  };
  undo.addEventListener("click", () => {
    switchOff(false);
    item.querySelector("[data-remove]").focus();
    line.remove();
    renumber();
    changed(list);
  });
  switchOff(true);
  item.querySelector("textarea").removeAttribute("id");
  item.after(line);
  renumber();
  undo.focus();
  changed(list);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add-message], [data-move], [data-remove]");
  if (!button) return;
  event.preventDefault();
  const item = button.closest("[data-message]");
  if (button.matches("[data-add-message]")) add();
  else if (button.matches("[data-remove]")) remove(item);
  else move(item, button.dataset.move);
});
