"""The part of Liquid that templates may use: values, conditions and a few filters; no loops, no files, no other tags.

Without loops the work is bounded by the length of the source; what the filters may do is bounded here too. A value is
never read as a template, nor as Markdown: what it says is escaped for where it is put.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, TextIO

from django.utils.translation import gettext as _
from liquid import Environment, FalsyStrictUndefined
from liquid.builtin import content, illegal
from liquid.builtin.filters import math, misc, string
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags import assign_tag, case_tag, comment_tag, if_tag, unless_tag
from liquid.context import RenderContext
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate

from common.errors import DomainError
from common.templatetags.amounts import number

LONGEST_SOURCE = 20_000
MOST_OUTPUT = 200_000
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
SPACES = re.compile("[ \\t-\\r\\x1c-\\x1f\\x85\\u2028\\u2029]+")


class TemplateError(DomainError):
    """A template that cannot be read."""

    code = "template_invalid"


class Missing(Exception):
    """Values that a template needs and that are not known; ``labels`` is what people call them."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        super().__init__(", ".join(labels))
        self.labels = labels


@dataclass
class Value:
    """One merge value: what it is to conditions (``raw``, None when it is not known), and how it is written."""

    label: str
    raw: Any = None
    text: str = ""
    missing: list[str] = field(default_factory=list)
    parts: dict[str, Value] = field(default_factory=dict)

    def __liquid__(self) -> Any:
        return float(self.raw) if isinstance(self.raw, Decimal) else self.raw

    def __getitem__(self, part: str) -> Value:
        return self.parts[part]

    def __str__(self) -> str:
        if self.raw is None and self.label not in self.missing:
            self.missing.append(self.label)
        return self.text


def read_template(source: str) -> Template:
    """The template with this source; raises TemplateError with what is wrong, and where."""
    if len(source) > LONGEST_SOURCE:
        raise TemplateError(_("A template has at most %(most)s characters.") % {"most": LONGEST_SOURCE})
    return _read(source)


@lru_cache(maxsize=256)
def _read(source: str) -> Template:
    try:
        parsed = ENVIRONMENT.from_string(source)
        analysis = parsed.analyze()
    except LiquidError as error:
        line = error.token.start_index if error.token is not None else 0
        words = {"line": source.count("\n", 0, line) + 1, "problem": str(error.args[0]) if error.args else str(error)}
        raise TemplateError(_("Line %(line)s cannot be read: %(problem)s.") % words) from error
    except (RecursionError, ValueError) as error:
        raise TemplateError(_("The template is too complex.")) from error
    for name in analysis.filters:
        if name not in ENVIRONMENT.filters:
            words = {"name": name, "known": ", ".join(sorted(ENVIRONMENT.filters))}
            raise TemplateError(_("There is no filter “%(name)s”; use one of: %(known)s.") % words)
    found = analysis.globals.values()
    names = {".".join(map(str, variable.segments)): None for variables in found for variable in variables}
    return Template(parsed, tuple(names))


@dataclass(frozen=True)
class Template:
    """A template that can be read; ``names`` are the merge values that it uses, such as ``account.name``."""

    parsed: BoundTemplate
    names: tuple[str, ...]

    def text(self, values: Mapping[str, Value]) -> str:
        """What it says, as plain text; raises TemplateError when it cannot be said with these values."""
        return self._said(values, is_markdown=False)

    def markdown(self, values: Mapping[str, Value]) -> str:
        """What it says as Markdown, in which values stand as they are, whatever is in them."""
        return self._said(values, is_markdown=True)

    def _said(self, values: Mapping[str, Value], *, is_markdown: bool) -> str:
        try:
            return self.parsed.render({**values, ESCAPES: is_markdown})
        except LiquidError as error:
            raise TemplateError(str(error.args[0]) if error.args else str(error)) from error
        except (ArithmeticError, ValueError) as error:
            raise TemplateError(_("A calculation in the template cannot be done.")) from error


ESCAPES = "\x00escapes"
"""The name under which a rendering knows whether it writes Markdown; no template can say it."""


class _Node(OutputNode):
    """``{{ … }}``: numbers as people write them, all in one line, and escaped in Markdown."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        text = SPACES.sub(" ", written(self.expression.evaluate(context))).strip()
        if context.globals.get(ESCAPES):
            text = PUNCTUATION.sub(r"\\\1", text)
        return buffer.write(text)


class _Output(Output):
    node_class = _Node


def written(value: Any) -> str:
    """What a value looks like in a mail, in the language at hand."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float | Decimal):
        exact = Decimal(str(value))
        return number(exact, 0 if exact == exact.to_integral() else 1)
    return "" if value is None else str(value)


def _numeric(function: Callable[..., Any]) -> Callable[..., Any]:
    def on_numbers(*given: Any) -> Any:
        return function(*map(_number, given))

    return on_numbers


def _number(given: Any) -> Any:
    if isinstance(given, Value):
        str(given)  # one that is not known is noted
        return given.__liquid__() or 0
    return given


class _Environment(Environment):
    block_nesting_limit = 10
    local_namespace_limit = 100_000
    output_stream_limit = MOST_OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in (
            content.Literal,
            _Output,
            illegal.Illegal,
            if_tag.IfTag,
            unless_tag.UnlessTag,
            case_tag.CaseTag,
            assign_tag.AssignTag,
            comment_tag.CommentTag,
        ):
            self.add_tag(tag)
        for name in ("plus", "minus", "times", "divided_by", "at_least", "at_most", "floor", "ceil"):
            self.add_filter(name, _numeric(getattr(math, name)))
        self.add_filter("round", _numeric(math.round_))
        self.add_filter("abs", _numeric(math.abs_))
        for name in ("upcase", "downcase", "capitalize", "append", "prepend", "strip", "truncate"):
            self.add_filter(name, getattr(string, name))
        self.add_filter("default", misc.default)


ENVIRONMENT = _Environment(undefined=FalsyStrictUndefined)
