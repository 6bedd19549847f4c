"""Image editors: what changes the first frame of a video, whose own motion then carries the change through it."""

from leokit.image_editors.base import ImageEditor, Region, build_editor
from leokit.image_editors.blur_region import BlurRegion
from leokit.image_editors.edited_file import EditedFile
from leokit.image_editors.paste_image import PasteImage
from leokit.image_editors.recolor import Recolor

__all__ = ['BlurRegion', 'EditedFile', 'ImageEditor', 'PasteImage', 'Recolor', 'Region', 'build_editor']
