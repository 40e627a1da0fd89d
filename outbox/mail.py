"""What every mail to a customer has: the sender's line, styles that mail readers keep, and a way out."""

from __future__ import annotations

from email.utils import formataddr, parseaddr

import css_inline
from django.conf import settings

from common.text import one_line

# Mail readers drop or rewrite <style>; only what cannot be inlined (dark mode, narrow screens) stays in it.
_inliner = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


def inlined(html: str) -> str:
    """The page with its styles in its elements."""
    return _inliner.inline(html)


def sender(name: str) -> str:
    """The deployment's own address under ``name``, as a From header."""
    return formataddr((one_line(name), parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))


def unsubscribe_headers(address: str) -> dict[str, str]:
    """The headers that let a mail program unsubscribe by itself (RFC 8058), at this address."""
    return {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
