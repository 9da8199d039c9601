"""Fill templates: the site's own where there is one and it works, else ours.

A sandbox, as a site's template is not our code; what is filled in is escaped, for HTML or for Markdown.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from markupsafe import Markup

from saveit_remediate.errors import RemediateError
from saveit_remediate.report.rules import FILE, Rules, read_rules
from saveit_remediate.report.text import clean, duration

T = TypeVar("T")
STYLE = "page.css"
OURS = Path(__file__).with_name("templates")
_ALWAYS = re.compile(r"([\\`*\[\]<>|])|~(?=~)|(?<!\w)_|_(?!\w)|&(?=#?\w+;)")
_AT_THE_START = re.compile(r"(\d*)([-+=#.)]+)(?=\s|$)")  # as in a list, a heading, a line under one


@dataclass
class Templates:
    """`site` is the site's folder of templates; `said` collects what was wrong with them."""

    site: Path | None = None
    said: list[str] = field(default_factory=list)

    def fill(self, name: str, values: Mapping[str, Any], read: Callable[[str], T]) -> T:
        """Fill one template and read it. An error in the site's own is said, and ours is used."""
        from jinja2 import TemplateError

        if self.site is not None and (self.site / name).is_file():
            try:
                return read(self._fill(self.site, name, values))
            # A template is a program of the site's: whatever it raises, the page has to be written.
            except Exception as error:
                line = getattr(error, "lineno", None)
                where = f"{self.site / name}, line {line}" if line else str(self.site / name)
                kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
                self._say(f"the site's template {where} has an error, so ours is used: {kind}{error}")
        return read(self._fill(OURS, name, values))

    def rules(self) -> Rules:
        """The site's rules where they can be read, else ours."""
        if self.site is not None and (self.site / FILE).is_file():
            try:
                return read_rules(self.site / FILE)
            except RemediateError as error:
                self._say(f"{error}; the default rules of post-mortems are used")
        return read_rules(OURS / FILE)

    def style(self) -> str:
        """The style sheet of the pages."""
        own = self.site / STYLE if self.site is not None else OURS / STYLE
        try:
            return (own if own.is_file() else OURS / STYLE).read_text(encoding="utf-8").replace("</", "<\\/")
        except (OSError, UnicodeDecodeError) as error:
            self._say(f"the site's style {own} cannot be read, so ours is used: {error}")
            return (OURS / STYLE).read_text(encoding="utf-8")

    def _fill(self, folder: Path, name: str, values: Mapping[str, Any]) -> str:
        return str(_environment(folder, name.endswith(".html.j2")).get_template(name).render(values))

    def _say(self, sentence: str) -> None:
        if clean(sentence) not in self.said:
            self.said.append(clean(sentence))


@functools.cache
def _environment(folder: Path, is_html: bool) -> Any:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        loader=FileSystemLoader([folder, OURS]),
        autoescape=is_html,
        finalize=None if is_html else _finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(duration=duration, clean=clean, code=code, spark=Markup)
    return environment


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) else Markup(markdown_escaped(value))  # noqa: S704


def markdown_escaped(value: Any) -> str:
    """One line of Markdown that shows exactly these words; a space before or after them stays."""
    given = "" if value is None else str(value)
    text = _ALWAYS.sub(lambda found: "\\" + found[0], clean(given))
    text = _AT_THE_START.sub(r"\1\\\2", text, count=1) if _AT_THE_START.match(text) else text
    return f"{' ' * given.startswith(' ')}{text}{' ' * given.endswith(' ')}"


def code(value: Any) -> Markup:
    """A word in a code span of Markdown."""
    return Markup("`" + re.sub(r"[`|\\]", "", clean(value)) + "`")  # noqa: S704


def html_of(markdown: str) -> Markup:
    """What a person wrote as HTML: no HTML of their own, nothing loaded from elsewhere."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    # A head without words is none, and what scrolls has to be reached without a mouse.
    text = reader.render(markdown).replace("<th></th>", "<td></td>").replace("<pre>", '<pre tabindex="0">')
    for sign, box in (("[ ] ", "☐ "), ("[x] ", "☑ ")):
        text = text.replace(f"<li>{sign}", f'<li class="todo">{box}')
    return Markup(text)  # noqa: S704
