"""A person who works with the keyboard alone, and what such a person may expect of every page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import check_page

# What has the focus: its name as a screen reader says it, whether the focus is marked, and whether any of it can be seen.
_FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const texts = (at.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean)
    .map((id) => document.getElementById(id)?.innerText ?? "");
  const labels = [...(at.labels ?? [])].map((one) => one.innerText || one.textContent);
  const name = at.getAttribute("aria-label") || texts.join(" ") || labels.join(" ") || at.innerText || at.title || "";
  const look = getComputedStyle(at);
  const isMarked = (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0) || look.boxShadow !== "none";
  const box = at.getBoundingClientRect();
  const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth - 1)];
  const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight - 1)];
  let isSeen = false;
  for (const across of [0.1, 0.5, 0.9]) for (const down of [0.1, 0.5, 0.9]) {
    const hit = document.elementFromPoint(left + (right - left) * across, top + (bottom - top) * down);
    isSeen ||= at.contains(hit);
  }
  return { name: name.replace(/\\s+/g, " ").trim(), isMarked, isSeen };
}"""


@dataclass
class Keyboard:
    """Keys for one signed-in person; `shots` is where the pages that they look at are kept as pictures."""

    page: Page
    complaints: list[str]
    shots: Path

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Type at the caret."""
        self.page.keyboard.type(text)

    def rewrite(self, text: str) -> None:
        """Type in place of all that the field holds."""
        self.press("Control+a")
        self.write(text)

    def skip(self) -> None:
        """From the top of a page over its head to the content."""
        self.press("Tab")
        assert self._focused()["name"] == "Skip to content"
        self.press("Enter")
        assert self.page.evaluate("document.activeElement.id") == "main"

    def to(self, name: str, *, within: int = 12, back: bool = False) -> None:
        """Tab to what is called so, over at most `within` stops; it must show that it has the focus, and not be covered."""
        passed: list[str] = []
        for _ in range(within):
            self.press("Shift+Tab" if back else "Tab")
            here = self._focused()
            if re.search(name, here["name"]):
                assert here["isMarked"], f"the focus on “{here['name']}” cannot be seen"
                assert here["isSeen"], f"“{here['name']}” has the focus and is covered"
                return
            passed.append(here["name"])
        raise AssertionError(f"“{name}” is not within {within} stops: {passed}")

    def use(self, name: str, *, within: int = 12, back: bool = False) -> None:
        """Tab to a control and press Enter; the page stays."""
        self.to(name, within=within, back=back)
        self.press("Enter")

    def go(self, name: str, *, within: int = 12, back: bool = False) -> None:
        """Tab to a link or a button that leads to another page, or to this one anew, and press Enter."""
        self.to(name, within=within, back=back)
        self.leave("Enter")

    def leave(self, *keys: str) -> None:
        """Press keys of which the last one leads to another page, or to this one anew."""
        self.press(*keys[:-1])
        with self.page.expect_navigation():
            self.press(keys[-1])

    def choose(self, option: str, *, of: str, within: int = 12) -> None:
        """Tab to a list of choices and type what the option begins with."""
        self.to(of, within=within)
        self.write(option)

    def find(self, query: str, result: str) -> None:
        """Ctrl-K from wherever one is, then the first result, which must be the wanted one."""
        self.press("Control+k")
        self.write(query)
        first = self.page.get_by_role("listbox", name="Results").get_by_role("option").first
        expect(first).to_contain_text(result)
        self.leave("Enter")

    def sees(self, text: str | re.Pattern[str]) -> None:
        """This stands on the page, where it can be seen."""
        expect(self.page.locator("body")).to_contain_text(text)

    def looks(self, name: str, heading: str | re.Pattern[str] | None = None) -> None:
        """The page has arrived and is as it should be: it fits, is accessible, and nothing went wrong in it."""
        expect(self.page.locator("h1")).to_have_count(1)
        if heading is not None:
            expect(self.page.locator("h1")).to_contain_text(heading)
        self.page.wait_for_load_state("networkidle")
        self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)
        # A poll that was under way when its page was left is called off, of which htmx tells in the first two messages. The last is
        # of the checker's own styles on the page before; the tests of single pages look for it before they check.
        harmless = ("htmx:afterRequest, ", "htmx:sendAbort, ", "Applying inline style violates")
        wrong = [text for text in self.complaints if not text.startswith(harmless)]
        assert wrong == [], f"{name}: {wrong}"
        check_page(self.page, name)
        self.complaints.clear()

    @property
    def focused(self) -> str:
        """The name of what has the focus."""
        return str(self._focused()["name"])

    def _focused(self) -> dict[str, Any]:
        found = self.page.evaluate(_FOCUSED)
        return dict(found) if found else {"name": "", "isMarked": False, "isSeen": False}
