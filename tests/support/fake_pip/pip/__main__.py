"""`python -m pip`: a list of the tests' own environment is what the real pip said of it when they began."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

if sys.argv[1:] == ["list", "-v", "--format", "json"] and sys.prefix == os.environ.get("FAKE_PIP_PREFIX"):
    sys.stdout.write(Path(os.environ["FAKE_PIP_LIST"]).read_text(encoding="utf-8"))
else:
    here = str(Path(__file__).resolve().parents[1])
    sys.path[:] = [path for path in sys.path if path != here]
    del sys.modules["pip"]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
