// Saves the draft a moment after the last key, one request at a time, from the revision that was read. What comes back is
// shown around the text; the text itself is never touched.
const form = document.querySelector("[data-editor]");
const revision = form.querySelector("[data-revision]");
const status = document.getElementById("editor-status");
const notice = document.getElementById("editor-notice");
const preview = document.getElementById("editor-preview");
const findings = document.getElementById("editor-findings");
const WAIT_MS = 900;
const RETRY_MS = 5000;
let timer = 0;
let running = null;
let dirty = false;
let blocked = false; // by a conflict, until the person decides

const say = (text, tone = "") => {
  status.textContent = text;
  status.className = `ps-edit-bar__status ps-small ${tone || "ps-muted"}`;
};

const showErrors = (errors) => {
  for (const place of form.querySelectorAll("[data-error-for]")) {
    const text = errors[place.dataset.errorFor] ?? "";
    const box = document.getElementById(`id_${place.dataset.errorFor}`);
    place.textContent = text;
    box.classList.toggle("is-invalid", Boolean(text));
    box.toggleAttribute("aria-invalid", Boolean(text));
    if (text) box.closest("details")?.setAttribute("open", "");
  }
};

const later = (delay) => {
  clearTimeout(timer);
  timer = setTimeout(save, delay);
};

const shown = (answer) => {
  revision.value = answer.revision;
  notice.replaceChildren();
  status.innerHTML = answer.status;
  status.className = "ps-edit-bar__status ps-small ps-muted";
  preview.innerHTML = answer.preview;
  findings.innerHTML = answer.findings;
  showErrors({});
};

const refused = (response, answer) => {
  showErrors(answer.errors ?? {});
  if (!answer.conflict) {
    say(`Not saved: ${answer.detail}`, "ps-tone--harm");
    return;
  }
  blocked = true;
  notice.innerHTML = answer.conflict;
  say("Not saved: somebody saved before you. ", "ps-tone--harm");
  const link = document.createElement("a");
  link.href = "#editor-notice";
  link.textContent = "Compare";
  status.append(link);
};

const send = async () => {
  say("Saving…");
  dirty = false;
  const data = new FormData(form);
  data.set("action", "save");
  try {
    const response = await fetch(form.dataset.autosave, { method: "POST", body: data, headers: { Accept: "application/json" } });
    if (response.redirected || !response.headers.get("Content-Type")?.includes("json")) {
      throw new Error(response.redirected ? "you were signed out; sign in in another tab" : `the server answered ${response.status}`);
    }
    const answer = await response.json();
    if (response.ok) shown(answer);
    else refused(response, answer);
  } catch (error) {
    dirty = true;
    const reason = error instanceof TypeError ? "the server cannot be reached" : error.message;
    say(`Not saved: ${reason}. Trying again; your text stays here.`, "ps-tone--harm");
    later(RETRY_MS);
  }
};

const save = async () => {
  clearTimeout(timer);
  if (blocked) return;
  if (running) {
    await running;
    if (!dirty) return;
  }
  running = send();
  await running;
  running = null;
  if (dirty) later(WAIT_MS);
};

form.addEventListener("input", () => {
  dirty = true;
  if (!blocked) {
    if (!running) say("Not saved yet");
    later(WAIT_MS);
  }
});
form.addEventListener("change", (event) => { if (event.target.matches("[data-role], [name=shown]")) { dirty = true; later(0); } });

// Ctrl-S is in every writer's fingers; the browser's own dialog would save the page.
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  event.preventDefault();
  dirty = true;
  save();
});

// "Keep mine" saves over the other revision, which the person has now seen.
notice.addEventListener("click", (event) => {
  const button = event.target.closest("[data-take-over]");
  if (!button) return;
  event.preventDefault();
  revision.value = button.dataset.takeOver;
  blocked = false;
  dirty = true;
  save();
});

addEventListener("submit", () => { clearTimeout(timer); dirty = false; });
addEventListener("click", (event) => { if (event.target.closest("[data-discard]")) dirty = false; });
addEventListener("beforeunload", (event) => { if (dirty || blocked) event.preventDefault(); });
