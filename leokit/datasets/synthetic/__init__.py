"""SyntheticFaces: procedurally drawn people who nod and talk, with the truth about every frame."""

from leokit.datasets.synthetic.identity import IDENTITY_NAMES, draw_identities
from leokit.datasets.synthetic.motion import draw_motion
from leokit.datasets.synthetic.parameters import BEHAVIOURS, MOTION_NAMES, MOTION_PARAMETERS, NEUTRAL_MOTION
from leokit.datasets.synthetic.plan import SyntheticClip, SyntheticFacesPlan
from leokit.datasets.synthetic.renderer import render_faces
from leokit.datasets.synthetic.truth import SyntheticTruth, load_truth
from leokit.datasets.synthetic.writer import write_clip, write_synthetic_faces

__all__ = [
    'BEHAVIOURS', 'IDENTITY_NAMES', 'MOTION_NAMES', 'MOTION_PARAMETERS', 'NEUTRAL_MOTION', 'SyntheticClip',
    'SyntheticFacesPlan', 'SyntheticTruth', 'draw_identities', 'draw_motion', 'load_truth', 'render_faces',
    'write_clip', 'write_synthetic_faces',
]
