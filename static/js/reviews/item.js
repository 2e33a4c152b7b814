// The page of one answer: keys for every choice, Enter sends, and the lease is renewed while somebody looks at it.
const page = document.querySelector("[data-review]");
const form = page.querySelector("[data-review-form]");
const RENEW_MS = 60_000;
const singleKeysOn = () => localStorage.getItem("promptstore.single-keys") !== "off";

const isWriting = (target) => target.matches("textarea, select, input:not([type=radio])");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
  if (isWriting(event.target)) return;
  if (event.key === "Enter") {
    // Buttons and links do what they say; from anywhere else the answer is sent.
    if (event.target.closest("button, a, summary")) return;
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  if (!singleKeysOn()) return;
  const keyed = page.querySelector(`[data-review-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!keyed) return;
  event.preventDefault();
  keyed.click();
});

const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const until = page.querySelector("time[data-relative]");

const renew = async () => {
  if (document.hidden || form.dataset.sent) return;
  const body = new URLSearchParams({ fence: page.dataset.fence });
  let answer;
  try {
    answer = await fetch(page.dataset.heartbeat, { method: "POST", body, headers: { "X-CSRFToken": token } });
  } catch {
    return; // the network is away: the next beat tries again
  }
  if (answer.status === 409) {
    page.querySelector("[data-lease-lost]").hidden = false;
    clearInterval(timer);
  } else if (answer.ok) {
    const { expires_at: moment } = await answer.json();
    if (moment) {
      until.dateTime = moment;
      delete until.dataset.exact;
    }
  }
};

const timer = setInterval(renew, RENEW_MS);
document.addEventListener("visibilitychange", renew);
