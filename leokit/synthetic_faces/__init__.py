"""SyntheticFaces: procedurally rendered talking heads with ground truth for every frame."""

from leokit.synthetic_faces.appearance import APPEARANCE_NAMES, sample_identities
from leokit.synthetic_faces.dataset_plan import SyntheticClip, SyntheticFacesPlan
from leokit.synthetic_faces.dataset_writer import write_clip, write_synthetic_faces, write_synthetic_truth
from leokit.synthetic_faces.ground_truth import SyntheticTruth, load_truth
from leokit.synthetic_faces.motion_parameters import BEHAVIORS, MOTION_NAMES, MOTION_PARAMETERS, NEUTRAL_MOTION
from leokit.synthetic_faces.random_motion import sample_motion
from leokit.synthetic_faces.renderer import render_faces
from leokit.synthetic_faces.texture import TEXTURE_NAMES, sample_textures

__all__ = [
    'BEHAVIORS', 'APPEARANCE_NAMES', 'MOTION_NAMES', 'MOTION_PARAMETERS', 'NEUTRAL_MOTION', 'SyntheticClip',
    'SyntheticFacesPlan', 'SyntheticTruth', 'TEXTURE_NAMES', 'sample_identities', 'sample_motion', 'sample_textures',
    'load_truth', 'render_faces', 'write_clip', 'write_synthetic_faces', 'write_synthetic_truth',
]
