"""What browser tests of the staff pages share."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

from accounts.models import User
from tests.factories import PASSWORD


def sign_in(page: Page, address: str, user: User) -> None:
    """Sign in as people do, by the form."""
    page.goto(f"{address}/user/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/")


GIVEN_UP = ("htmx:afterRequest", "htmx:sendAbort")
"""With what htmx tells that a request gave way to a later one; one that failed is told by another name too."""


def complaints_of(page: Page) -> list[str]:
    """What the browser says against the pages, as it says it."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(GIVEN_UP):
            said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def findings(page: Page) -> list[str]:
    """What axe finds wrong with the page."""
    return [
        f"{violation['id']}: {violation['nodes'][0]['html']}" for violation in Axe().run(page).response["violations"]
    ]
