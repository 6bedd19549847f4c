"""Models: trainable by MMEngine's Runner; they only assemble components."""

from leokit.models.animator import Animation, Animator
from leokit.models.base_model import TrainableModel
from leokit.models.code_normalizer import CodeNormalizer
from leokit.models.data_preprocessor import DataPreprocessor, PixelPreprocessor
from leokit.models.diffusion import Diffusion
from leokit.models.diffusion_model import DiffusionModel
from leokit.models.lia_checkpoint import convert_checkpoint
from leokit.models.lia_state_dict import from_lia, to_lia
from leokit.models.motion_diffusion import MotionDiffusion
from leokit.models.motion_windows import KnownCodes
from leokit.models.start_code_diffusion import StartCodeDiffusion
from leokit.models.start_frame_diffusion import StartFrameDiffusion

__all__ = [
    'Animation', 'Animator', 'CodeNormalizer', 'DataPreprocessor', 'Diffusion', 'DiffusionModel', 'KnownCodes',
    'MotionDiffusion', 'PixelPreprocessor', 'StartCodeDiffusion', 'StartFrameDiffusion', 'TrainableModel',
    'convert_checkpoint', 'from_lia', 'to_lia',
]
