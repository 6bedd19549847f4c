"""A small code cache of smooth motion, with a random start per video."""

from pathlib import Path

import numpy as np

from leokit.datasets import CodeCacheWriter

MOTION_DIM = 4


def write_code_cache(folder: Path, videos: int = 12, frames: int = 24) -> Path:
    """Write the cache; every third video belongs to the split ``test``."""
    random = np.random.default_rng(0)
    with CodeCacheWriter(folder, MOTION_DIM, animator=dict(weights_hash='ab' * 32, config='', checkpoint='')) as writer:
        for number in range(videos):
            phase = random.uniform(0, 6, MOTION_DIM) + 0.3 * np.arange(frames)[:, None]
            codes = random.normal(size=MOTION_DIM) + np.sin(phase)
            writer.add(f'v{number}', codes.astype(np.float32), identity=f'p{number}', fps=25.0,
                       split='test' if number % 3 == 0 else 'train')
    return folder
