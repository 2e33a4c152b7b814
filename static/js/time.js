// Keeps "3 min ago" true, and shows the exact moment in the reader's own time zone. The steps are those of
// promptstore/console/formatting/times.py.
const NBSP = "\u00a0";
const STEPS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400, 3600, "h"],
  [30 * 86400, 86400, "d"],
];
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const dateOnly = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

const relative = (moment, now) => {
  const seconds = (now - moment) / 1000;
  const distance = Math.floor(Math.abs(seconds));
  if (distance < 5) return "just now";
  for (const [limit, size, unit] of STEPS) {
    if (distance < limit) {
      const amount = `${Math.floor(distance / size)}${NBSP}${unit}`;
      return seconds > 0 ? `${amount} ago` : `in ${amount}`;
    }
  }
  return dateOnly.format(moment);
};

// The page was written at `data-now` by the clock that decisions use. It may differ from this machine's: a laptop that runs
// late, or an instance that replays another day.
const written = Date.parse(document.documentElement.dataset.now ?? "");
const skew = Number.isNaN(written) ? 0 : written - Date.now();

const refresh = () => {
  const now = Date.now() + skew;
  for (const element of document.querySelectorAll("time[data-relative]")) {
    const moment = new Date(element.dateTime);
    if (!element.dataset.exact) {
      element.dataset.exact = "shown";
      element.title = exact.format(moment);
    }
    const text = relative(moment, now);
    if (element.textContent !== text) element.textContent = text;
  }
};

refresh();
setInterval(refresh, 5000);
document.addEventListener("htmx:afterSwap", refresh);
