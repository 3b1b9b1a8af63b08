"""``python -m downhill`` is the program ``downhill``."""

from downhill._program import main

main()
