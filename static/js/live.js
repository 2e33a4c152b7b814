// Live regions (`{% live %}`): htmx polls, this file makes the polling conditional and quiet.
//
// The server answers 304 while nothing changed (nothing happens here), 200 with the new fragment, or 286 with the last one
// (htmx stops polling). The ETag comes from the state that the fragment shows.
const etags = new WeakMap();

const regionOf = (event) => {
  const element = event.detail.elt ?? event.target;
  return element.matches?.("[data-live-region]") ? element : null;
};

const say = (region, state, text) => {
  const line = region.closest("[data-live]")?.querySelector("[data-live-state]");
  if (!line) return;
  line.dataset.state = state;
  line.querySelector("[data-live-text]").textContent = text;
};

// Somebody writes or decides in the region: what is under their hands must not be replaced.
const isInUse = (region) =>
  region.querySelector("details[data-popover][open]") ||
  (region.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"));

// Who has tabbed into a region stays where they are: what has the same id, or else the same words and address, has the focus
// again. `at` tells things apart that say the same.
const focused = new WeakMap();
const FOCUSABLE = "a[href], button, summary, [tabindex]";
const sameAs = (wanted) => (one) => one.tagName === wanted.tagName && one.id === wanted.id
  && one.getAttribute("href") === wanted.getAttribute("href") && one.textContent.trim() === wanted.textContent.trim();

const placeOf = (region) => {
  const element = document.activeElement;
  if (!region.contains(element) || element === region) return null;
  const same = [...region.querySelectorAll(FOCUSABLE)].filter(sameAs(element));
  return { element, at: same.indexOf(element) };
};

const giveBack = (region) => {
  const place = focused.get(region);
  focused.delete(region);
  if (!place || (document.activeElement && document.activeElement !== document.body)) return;
  const { element, at } = place;
  const same = (element.id && document.getElementById(element.id)) || [...region.querySelectorAll(FOCUSABLE)].filter(sameAs(element))[at];
  if (same) same.focus({ preventScroll: true });
  else {
    // It is gone: the next Tab goes on from the region, not from the top of the page.
    region.tabIndex = -1;
    region.focus({ preventScroll: true });
  }
};

document.addEventListener("htmx:beforeRequest", (event) => {
  const region = regionOf(event);
  if (region && (document.hidden || isInUse(region))) event.preventDefault();
});

document.addEventListener("htmx:configRequest", (event) => {
  const region = regionOf(event);
  if (region && etags.has(region)) event.detail.headers["If-None-Match"] = etags.get(region);
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const region = regionOf(event);
  if (!region || !event.detail.shouldSwap) return;
  if (isInUse(region)) {
    event.detail.shouldSwap = false; // it came into use while the answer was on its way
    return;
  }
  focused.set(region, placeOf(region));
  region.dataset.openDetails = [...region.querySelectorAll("details[open][id]")].map((one) => one.id).join(" ");
});

document.addEventListener("htmx:afterSwap", (event) => {
  const region = regionOf(event);
  if (!region) return;
  giveBack(region);
  const etag = event.detail.xhr.getResponseHeader("ETag");
  if (etag) etags.set(region, etag);
  for (const id of (region.dataset.openDetails ?? "").split(" ").filter(Boolean)) {
    const details = document.getElementById(id);
    if (details) details.open = true;
  }
});

document.addEventListener("htmx:afterRequest", (event) => {
  const region = regionOf(event);
  if (!region) return;
  const { status } = event.detail.xhr ?? {};
  if (status === 286) say(region, "ended", "Finished");
  else if (status === 200 || status === 304) say(region, "live", "Updates by itself");
  else if (status === 401 || status === 403) say(region, "stale", "Not updating: you are signed out or may no longer see this. Reload the page.");
  else say(region, "stale", "Not updating: the console does not answer. Trying again…");
});

// A tab that comes back shows the present at once.
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !window.htmx) return;
  for (const region of document.querySelectorAll("[data-live-region]")) window.htmx.trigger(region, "live:now");
});
