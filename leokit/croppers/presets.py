"""The published conventions, by name.

Where a convention is defined on boxes of another detector or on annotations, ``scale`` and ``shift`` were measured: the
crop of the published frames relative to the box of :class:`~leokit.face_detectors.Face`, median over clips.
"""

from dataclasses import dataclass
from typing import Any, Mapping

from leokit.croppers.base import Cropper
from leokit.registry import CROPPERS
from leokit.utils import UserError


@dataclass(frozen=True)
class CropPreset:
    """A convention.

    Attributes:
        cropper (dict): Config of the cropper.
        driving (dict, optional): Another one for driving videos.
        detector (dict, optional): The detector that the convention is defined on; default: any.
    """

    cropper: dict[str, Any]
    driving: dict[str, Any] | None = None
    detector: dict[str, Any] | None = None


_HOG_BOXES = dict(type='DlibFaceDetector', landmarks=False)

CROP_PRESETS = {
    # by dlib's own boxes, which end at the brows: the options of leokit prepare
    'face': CropPreset(dict(type='SquareCropper', scale=1.2), detector=_HOG_BOXES),
    'face_wide': CropPreset(dict(type='SquareCropper', scale=1.6), detector=_HOG_BOXES),
    # VoxCeleb as published with FOMM (NeurIPS 2019), LIA's vox: boxes around all faces of a clip with a margin of 0.1,
    # squeezed to a square. An image has no motion that widens its box, so its margins give the shape of the published
    # regions (width / height 0.82, their median) and the size of faces in them.
    'voxceleb': CropPreset(dict(type='MarginCropper', margin=(0.2, 0.125), square=False),
                           driving=dict(type='MarginCropper', margin=0.1, square=False)),
    # FOMM's crop-video.py
    'fomm': CropPreset(dict(type='MarginCropper', margin=0.1)),
    # CelebV-HQ and CelebV-Text: head and shoulders, measured on 92 frames
    'celebv_hq': CropPreset(dict(type='SquareCropper', scale=1.75)),
    # FaceForensics as in StyleGAN-V: from chin to forehead, measured on 160 frames
    'faceforensics': CropPreset(dict(type='SquareCropper', scale=1.08, shift=0.03)),
    # LivePortrait (arXiv 2407.03168)
    'liveportrait': CropPreset(dict(type='LandmarkCropper', scale=2.3, shift=-0.125, rotate=True),
                               driving=dict(type='LandmarkCropper', scale=2.2, shift=-0.1, rotate=False)),
    # LIA-X (arXiv 2508.09959)
    'lia_x': CropPreset(dict(type='LIAXCropper')),
    # FLOAT (arXiv 2412.01064) and IMTalker, which pad with black instead of repeating border pixels
    'float': CropPreset(dict(type='SquareCropper', scale=1.6, outside='pad')),
    # the drawings of SyntheticFaces, measured on 30 identities
    'synthetic_faces': CropPreset(dict(type='SquareCropper', scale=1.93)),
}

# The crop of people. TaichiHD as published with FOMM: the side relative to the box of HOGPersonDetector, median of 63
# clips.
PERSON_CROP = dict(type='SquareCropper', scale=1.2)


def find_preset(crop: str | Mapping[str, Any]) -> CropPreset:
    """A convention by its name, or by the config of a component of ``CROPPERS``."""
    if isinstance(crop, Mapping):
        return CropPreset(dict(crop))
    if crop not in CROP_PRESETS:
        raise UserError(f'unknown face crop {crop!r}; choose one of {", ".join(CROP_PRESETS)}, or pass the config of a '
                        'cropper')
    return CROP_PRESETS[crop]


def build_cropper(preset: CropPreset, *, driving: bool = False) -> Cropper:
    """The cropper of a convention, for sources or for driving videos."""
    return CROPPERS.build(dict((driving and preset.driving) or preset.cropper))
