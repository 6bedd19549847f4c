"""A small code cache whose motion has a start of its own and goes on smoothly."""

from pathlib import Path

import numpy as np

from leokit.datasets import CodeCacheWriter

MOTION_DIM = 4


def write_code_cache(folder: Path, videos: int = 12, frames: int = 24) -> Path:
    """Every third video is of split ``test``."""
    draws = np.random.default_rng(0)
    with CodeCacheWriter(folder, MOTION_DIM, animator=dict(weights_hash='ab' * 32, config='', checkpoint='')) as writer:
        for number in range(videos):
            phase = draws.uniform(0, 6, MOTION_DIM) + 0.3 * np.arange(frames)[:, None]
            codes = draws.normal(size=MOTION_DIM) + np.sin(phase)
            writer.add(f'v{number}', codes.astype(np.float32), identity=f'p{number}', fps=25.0,
                       split='test' if number % 3 == 0 else 'train')
    return folder
