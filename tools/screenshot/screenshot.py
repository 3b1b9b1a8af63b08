#!/usr/bin/env python3
"""Makes an SVG of what a terminal shows: `tmux capture-pane -e -p | tools/screenshot/screenshot.py [--light] > picture.svg`.

Braille dots, lines and blocks are drawn as shapes, so that the picture looks the same with any font.
"""

import re
import sys
from html import escape

WIDTH, HEIGHT = 8, 16  # of a cell, in pixels
LIGHT = "--light" in sys.argv
PAPER, INK = ("#ffffff", "#24292f") if LIGHT else ("#0d1117", "#d0d7de")


def colour(index):
    """A colour of the 256; those of the terminal's own palette are not used here."""
    if index >= 232:
        return "#" + 3 * f"{8 + 10 * (index - 232):02x}"
    cube = index - 16
    return "#" + "".join(f"{0 if part == 0 else 55 + 40 * part:02x}" for part in (cube // 36, cube // 6 % 6, cube % 6))


def styled(line, style):
    """The characters of a line, each with its style."""
    cells = []
    for escaped, codes, character in re.findall(r"(\x1b\[([\d;]*)m)|([^\x1b])", line):
        if not escaped:
            cells.append((character, dict(style)))
            continue
        codes = [int(code or 0) for code in codes.split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                style.clear()
            elif code == 1:
                style["bold"] = True
            elif code == 2:
                style["dim"] = True
            elif code == 7:
                style["reversed"] = True
            elif code == 38 and codes[:1] == [5]:
                style["colour"] = colour(codes[1])
                codes = codes[2:]
            elif code == 39:
                style.pop("colour", None)
    return cells


PLACES = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]


def shape(character, x, y):
    """How a character is drawn, and with what width of line; none if it is text."""
    if "\u2800" <= character <= "\u28ff":
        dots = [place for bit, place in enumerate(PLACES) if (ord(character) - 0x2800) >> bit & 1]
        return "".join(f"M{x + 2 + 4 * column} {y + 2 + 4 * row}h0" for column, row in dots), 2.6
    middle, down = y + HEIGHT // 2, x + WIDTH // 2
    path = {
        "─": f"M{x} {middle}h{WIDTH}",
        "━": f"M{x} {middle}h{WIDTH}",
        "│": f"M{down} {y}v{HEIGHT}",
        "┌": f"M{x + WIDTH} {middle}H{down}V{y + HEIGHT}",
        "┐": f"M{x} {middle}H{down}V{y + HEIGHT}",
        "└": f"M{x + WIDTH} {middle}H{down}V{y}",
        "┘": f"M{x} {middle}H{down}V{y}",
    }.get(character)
    return path and (path, 3 if character == "━" else 1)


def main():
    style = {}
    rows = [styled(line, style) for line in sys.stdin.read().rstrip("\n").split("\n")]
    width, height = WIDTH * max(map(len, rows)) + 16, HEIGHT * len(rows) + 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13" role="img" '
        'aria-label="The dashboard of a run in a terminal">',
        f'<rect width="{width}" height="{height}" rx="6" fill="{PAPER}"/>',
    ]
    lines = {}
    for row, cells in enumerate(rows):
        y, column = 8 + HEIGHT * row, 0
        while column < len(cells):
            character, style = cells[column]
            x, fill = 8 + WIDTH * column, style.get("colour", INK)
            drawn = shape(character, x, y)
            if drawn:
                path, width = drawn
                lines.setdefault((fill, width), []).append(path)
                column += 1
                continue
            end = column
            while end < len(cells) and cells[end][1] == style and not shape(cells[end][0], 0, 0):
                end += 1
            text = "".join(character for character, _ in cells[column:end])
            if style.get("reversed"):
                out.append(f'<rect x="{x}" y="{y}" width="{WIDTH * (end - column)}" height="{HEIGHT}" fill="{fill}"/>')
                fill = PAPER
            look = (' font-weight="bold"' if style.get("bold") else "") + (' opacity=".6"' if style.get("dim") else "")
            # Word by word, so that nothing moves in a font of another width.
            for word in re.finditer(r"\S+", text):
                at, length = x + WIDTH * word.start(), WIDTH * len(word[0])
                out.append(
                    f'<text x="{at}" y="{y + 12}" textLength="{length}" lengthAdjust="spacingAndGlyphs" fill="{fill}"{look}>'
                    f"{escape(word[0])}</text>"
                )
            column = end
    for (fill, width), paths in lines.items():
        cap = "butt" if width == int(width) else "round"
        path = "".join(paths)
        out.append(f'<path d="{path}" stroke="{fill}" stroke-width="{width}" stroke-linecap="{cap}" fill="none"/>')
    print("\n".join(out) + "\n</svg>")


if __name__ == "__main__":
    main()
