"""Write, move and delete files below `src/`, tracked and untracked, until a file named `stop` is there. Usage: churning.py STOP."""

from __future__ import annotations

import random
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path

stop, rng, src = Path(sys.argv[1]), random.Random(0), Path("src")
turn = 0
while not stop.exists():
    turn += 1
    path = src / f"{rng.randrange(40)}.py"
    with suppress(FileNotFoundError):
        match turn % 6:
            case 0:
                path.unlink()
            case 1:
                path.rename(src / f"moved-{rng.randrange(10)}.py")
            case 2:
                (src / f"folder-{turn % 5}").mkdir(exist_ok=True)
                (src / f"folder-{turn % 5}" / "new.py").write_text(f"# {turn}\n")
            case 3:
                shutil.rmtree(src / f"folder-{rng.randrange(5)}")
            case _:
                path.write_text(f"# {turn}\n" * rng.randrange(1, 2000))
    time.sleep(0.01)
