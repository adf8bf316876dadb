"""Make the package's long description from README.md: its links and pictures get whole addresses.

In the repository they are relative, which a package index can't follow. Hatchling runs this when it builds the package;
the addresses are those of the version's tag, below `Repository` of pyproject.toml.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE_LINK = re.compile(r"(!?)(\[(?:[^\[\]]|\[[^\]]*\])*\]\()(?!\w+:|#)([^)\s]+)")


def with_whole_addresses(readme: str, repository: str, version: str) -> str:
    """Return the text, with links to its files in the repository at the tag of this version."""

    def whole(link: re.Match[str]) -> str:
        kind = "raw" if link[1] else "blob"
        return f"{link[1]}{link[2]}{repository}/{kind}/v{version}/{link[3]}"

    return RELATIVE_LINK.sub(whole, readme)


class LongDescription(MetadataHookInterface):
    def update(self, metadata: dict[str, Any]) -> None:
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = with_whole_addresses(readme, metadata["urls"]["Repository"], metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
