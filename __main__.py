"""The stack of `make up` runs the program that `pulumi new` copies, so what is tried here is what is used later."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parent / "templates" / "caller-ids" / "__main__.py"))
