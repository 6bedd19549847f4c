"""leokit: latent-motion human video generation on PyTorch and MMEngine.

Letters used in every docstring: ``B`` batch, ``T`` frames, ``C, H, W`` channels
and sides, ``N`` motion dimension, ``D`` appearance dimension, ``S`` diffusion
steps. Images are float in [-1, 1]; uint8 appears at input and output only.
"""

from leokit.version import __version__

__all__ = ['__version__']
