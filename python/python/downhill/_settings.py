"""Settings of training as keywords, spelled as the program spells them."""

from __future__ import annotations

import numbers
from typing import Any

from downhill import _downhill


def spelled(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Keywords as flags and their values; those that are None are left as they are by default."""
    all_of_them: list[tuple[str, str]] = []
    for keyword, value in settings.items():
        if value is None:
            continue
        name = keyword.replace("_", "-")
        if name == "group" and isinstance(value, list | tuple):
            all_of_them += [(name, _spelling(keyword, spec)) for spec in value]
        else:
            all_of_them.append((name, _spelling(keyword, value)))
    return all_of_them


def _spelling(keyword: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Real):
        return repr(value)
    if keyword == "hidden" and isinstance(value, list | tuple):
        return ",".join(_spelling(keyword, size) for size in value) or "none"
    raise TypeError(
        f"{keyword}={value!r}: give a number or text as the program takes it, such as "
        f"{'hidden=(64, 64)' if keyword == 'hidden' else 'lr=0.01 or lr=' + repr('cosine(0.01)')}"
    )


def names() -> list[str]:
    """The keywords that there are."""
    return [name.replace("-", "_") for name in _downhill.settings()]
