"""Image editors: edits of the first frame of a video, which the video's own motion then propagates."""

from leokit.image_editors.base import ImageEditor, Region
from leokit.image_editors.blur_region import BlurRegion
from leokit.image_editors.edited_file import EditedFile
from leokit.image_editors.paste_image import PasteImage
from leokit.image_editors.recolor import Recolor

__all__ = ['BlurRegion', 'EditedFile', 'ImageEditor', 'PasteImage', 'Recolor', 'Region']
