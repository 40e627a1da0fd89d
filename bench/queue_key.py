"""A key in a queue of 100,000 open tasks, in a real browser: until the server has acknowledged it, and until it shows.

A leader looks at everybody's tasks in Chromium and presses `j`, `e` and `h` in turn. `j` moves to the next row, `e`
finishes a task, `h` asks for the snooze dialog. Two figures stand beside their limits: the 95th percentile from a key
to the server's answer (150 ms), over `e` and `h`, and from any key to the next frame (50 ms).
"""

from __future__ import annotations

import os
import statistics
from typing import Any

from playwright.sync_api import Page, sync_playwright

from accounts.models import User
from bench import Result, limited
from bench.base import make_base, size_of
from bench.queue_page import make_tasks, sign_in
from bench.web import serve

PRESSES = 60
ACKNOWLEDGED, PAINTED = 150.0, 50.0
CHROMIUM = "/usr/bin/chromium"

# The frame after the one in which the key was heard has been drawn by then.
WATCH = """
window.painted = [];
window.answered = [];
let pressed = 0;
addEventListener("keydown", () => {
  pressed = performance.now();
  const at = pressed;
  requestAnimationFrame(() => requestAnimationFrame(() => painted.push(performance.now() - at)));
}, true);
// The list that is drawn anew after the answer, and the preview beside it, are not what the key asked for.
document.addEventListener("htmx:afterOnLoad", (event) => {
  const beside = event.detail.target.id === "queue" || event.target.closest?.("[data-peek-region]");
  if (!beside) answered.push(performance.now() - pressed);
});
"""


def run(scale: float) -> list[Result]:
    """Press keys one after another, each when the one before has settled."""
    make_base(size_of(scale))
    make_tasks()
    leader = User.objects.create_user("leader@example.com", name="Leader", role=User.Role.LEADER)
    name, _equals, value = sign_in(leader).partition("=")
    # Playwright runs a loop of its own, in which Django asks not to be used; nothing here is asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with serve() as port, sync_playwright() as playwright:
        installed = CHROMIUM if os.path.exists(CHROMIUM) else None  # noqa: PTH110
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        address = f"http://127.0.0.1:{port}"
        context.add_cookies([{"name": name, "value": value, "url": address}])
        page = context.new_page()
        page.goto(f"{address}/queue/?whose=team")
        page.evaluate(WATCH)
        answered, painted = _press(page)
        browser.close()
    return [
        _figure("queue_key_p95_ms", answered, ACKNOWLEDGED, "150 ms from a key to the server's answer", scale),
        _figure("queue_key_paint_p95_ms", painted, PAINTED, "50 ms from a key to the frame that shows it", scale),
    ]


def _press(page: Page) -> tuple[list[float], list[float]]:
    page.keyboard.press("j")
    for _ in range(PRESSES // 3):
        for key in ("j", "e", "h"):
            before: int = page.evaluate("answered.length")
            page.keyboard.press(key)
            if key != "j":
                page.wait_for_function("n => answered.length > n", arg=before)
            if key == "h":
                page.wait_for_selector("dialog#task-form:modal")
                page.keyboard.press("Escape")
            page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-added')")
    measured: dict[str, Any] = page.evaluate("({ answered, painted })")
    return measured["answered"], measured["painted"]


def _figure(name: str, taken: list[float], limit: float, words: str, scale: float) -> Result:
    p95 = statistics.quantiles(taken, n=20)[-1]
    return limited(name=name, unit="ms p95", ours=p95, limit=limit, floor_is=words, scale=scale, rounds=len(taken))
