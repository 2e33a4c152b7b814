// Runs in <head> before the first paint. The server has already written a chosen theme from the cookie; this file covers
// "as the system says", follows changes of it, and switches without a reload. Without JavaScript, CSS does the same through
// `color-scheme: light dark`, and the switch is an ordinary form.
(() => {
  "use strict";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const COOKIE = "promptstore_theme";

  const chosen = () => {
    const found = document.cookie.match(/(?:^|; )promptstore_theme=(light|dark)(?:;|$)/);
    return found ? found[1] : "system";
  };

  const apply = () => {
    const theme = chosen();
    const shown = theme === "system" ? (system.matches ? "dark" : "light") : theme;
    if (root.dataset.bsTheme === shown) return;
    root.dataset.bsTheme = shown;
    document.dispatchEvent(new CustomEvent("theme:change", { detail: shown }));
  };

  const remember = (theme) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    const age = theme === "system" ? 0 : 365 * 86400;
    document.cookie = `${COOKIE}=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
  };

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("visibilitychange", apply); // another tab may have switched

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-theme-form]");
    if (!form || !event.submitter) return;
    event.preventDefault();
    remember(event.submitter.value);
    apply();
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button === event.submitter));
    }
  });
})();
