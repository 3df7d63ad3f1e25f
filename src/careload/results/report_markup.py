"""HTML as text: elements whose plain text is escaped, so that nothing read from a file can become markup."""

from __future__ import annotations

from html import escape

__all__ = ["Markup", "element", "joined"]


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str) -> Markup:
    """An element with its children and attributes.

    Parameters
    ----------
    name : str
    *children : str
        Plain text is escaped, `Markup` is not.
    **attributes : str
        An underscore at the end is dropped, others become hyphens: `class_`, `aria_label`.

    Returns
    -------
    Markup
        Well-formed as XML too; an element without children closes itself where HTML allows it.
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items()
    )
    if not children and name in _ALONE:
        return Markup(f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Children one after the other, plain text escaped."""
    return Markup("".join(one if isinstance(one, Markup) else escape(one) for one in children))


_ALONE = frozenset({"meta", "br", "rect", "line", "path", "circle"})
