"""Find clips that should not be trained on: cuts, fades, frozen or black frames, borders, blur, captions, faces.

:func:`inspect_clip` is the entry point; each check has its own file, which states its thresholds.
"""

from leokit.video.cleaning.finding import Finding
from leokit.video.cleaning.inspection import CHECKS, DEFAULT_CHECKS, inspect_clip

__all__ = ['CHECKS', 'DEFAULT_CHECKS', 'Finding', 'inspect_clip']
