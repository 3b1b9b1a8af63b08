"""The program ``downhill``, as the package puts it on the path."""

from __future__ import annotations

import signal
import sys

from downhill import _downhill


def main() -> None:
    """Run the program with the arguments of the process, and exit with its code."""
    # Python would look for Ctrl-C only once the program is over.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_downhill.main(["downhill", *sys.argv[1:]]))
