"""Observes a folder of coloured pictures, slowly, until it is done or killed. Run by `test_evaluation_observing.py`.

argv: folder of photos, work folder. stdout: "look" before each look, "done" at the end.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from consentry.evaluation.folders import read_folder
from consentry.evaluation.observing import Engine, observe
from consentry.evaluation.work import WorkFolder
from fakes.coloured_faces import ColouredFaces


class SlowFaces(ColouredFaces):
    def detect(self, pixels, *, thorough):
        # One write: two threads look at once.
        os.write(1, b"look\n")
        time.sleep(0.03)
        return super().detect(pixels, thorough=thorough)


if __name__ == "__main__":
    engine = Engine("colours@1", SlowFaces(), "f" * 64, "")
    with WorkFolder(Path(sys.argv[2]), fresh=False) as work:
        observe(read_folder(Path(sys.argv[1])).photos, [engine], work, lambda *_: None, workers=2)
    print("done", flush=True)
