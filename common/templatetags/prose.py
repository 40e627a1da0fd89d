"""Markdown that people wrote, as safe HTML: no images (they track), no scripts, no styles."""

import nh3
from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

register = template.Library()

TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "code", "pre", "blockquote", "h3", "h4", "hr"}

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})


@register.filter
def prose(text: str) -> SafeString:
    """Return the Markdown ``text`` as HTML; links leave no referrer and only lead to web and mail addresses."""
    html = nh3.clean(
        _markdown.render(text),
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(html)  # noqa: S308  # nh3 has cleaned it
