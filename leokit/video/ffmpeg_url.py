"""Names of local files for FFmpeg."""

import os
from pathlib import Path


def local_url(path: str | Path) -> str:
    """The name by which FFmpeg opens a local file, whatever characters it holds.

    FFmpeg takes what stands before a colon for a protocol: ``a:b.mp4``, ``http:x``, ``concat:a|b``.
    """
    return f'file:{os.path.abspath(path)}'
