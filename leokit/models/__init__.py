"""Models: the trainable MMEngine models, which only assemble components."""

from leokit.models.animator import Animation, Animator
from leokit.models.code_diffusion import CodeDiffusion
from leokit.models.coded_model import CodedModel
from leokit.models.data_preprocessor import PixelPreprocessor
from leokit.models.diffusion_core import DiffusionCore
from leokit.models.lia_checkpoint import convert_checkpoint
from leokit.models.lia_conversion import from_lia, to_lia
from leokit.models.motion_diffusion import MotionDiffusion
from leokit.models.start_code_diffusion import StartCodeDiffusion
from leokit.models.start_frame_diffusion import StartFrameDiffusion

__all__ = [
    'Animation', 'Animator', 'CodeDiffusion', 'CodedModel', 'DiffusionCore', 'MotionDiffusion', 'PixelPreprocessor',
    'StartCodeDiffusion', 'StartFrameDiffusion', 'convert_checkpoint', 'from_lia', 'to_lia',
]
