"""Makes large pictures smaller, with 255 colours each: python pack.py FOLDER"""

import sys
from pathlib import Path

from PIL import Image

# Bytes from which a picture is large.
LARGE = 40_000

for path in sorted(Path(sys.argv[1]).glob("*.png")):
    if path.stat().st_size >= LARGE:
        picture = Image.open(path).convert("RGB")
        picture.quantize(255, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
