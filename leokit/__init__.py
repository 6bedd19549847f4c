"""leokit: latent-motion human video generation on PyTorch and MMEngine.

Letters in every docstring: ``B`` batch, ``T`` frames, ``C, H, W`` channels, height and width, ``S`` resolution of
square images or number of diffusion steps, ``N`` motion dimension, ``D`` appearance dimension. Images are float in
[-1, 1]; uint8 appears at input and output only.
"""

from typing import TYPE_CHECKING, Any

from leokit.version import __version__

if TYPE_CHECKING:
    from leokit.inference.loading import load
    from leokit.inference.pretrained import from_pretrained

__all__ = ['__version__', 'from_pretrained', 'load']


def __getattr__(name: str) -> Any:
    if name == 'load':
        from leokit.inference.loading import load  # not above: `import leokit` alone takes milliseconds
        return load
    if name == 'from_pretrained':
        from leokit.inference.pretrained import from_pretrained
        return from_pretrained
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
