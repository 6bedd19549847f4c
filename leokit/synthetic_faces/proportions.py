"""Proportions of adults for faces in the style ``textured``: drawn faces are short and have the eyes of cartoons.

The ranges lead to within 12 percent of the medians of dlib's landmarks in clips of 39 people, in eye distances: 1.85
from the eyes to the chin, 1.15 to the mouth, 0.75 to the base of the nose, 0.35 to the brows; eyes are 0.39 wide and
0.13 high, a nose is 0.44 and a mouth 0.82 wide. Drawn faces have 1.39, 0.85, 0.56, 0.44; 0.67 and 0.32; 0.37 and 0.90.
"""

from typing import Iterable

import numpy as np

from leokit.synthetic_faces.appearance import APPEARANCE_NAMES

PROPORTION_STREAM = 6  # separates the random numbers of proportions from those of identities, textures, ...
# Factors of appearance parameters; length, nose (times length) and brow: of the distance from the line of the eyes
FACTORS = dict(
    length=(1.16, 1.42), nose=(0.88, 1.02), brow=(0.72, 1.00), eye_width=(0.54, 0.74), openness=(0.50, 0.90),
    nose_width=(1.0, 1.35), mouth_width=(0.80, 1.05))
EYE_PARTS = ('eye_width', 'eye_height', 'iris_size', 'lashes')
SHOULDERS_FOLLOW = 0.8  # the chin, which becomes lower


def adult_proportions(appearance: np.ndarray, numbers: Iterable[int], seed: int = 0) -> np.ndarray:
    """Longer faces, smaller and narrower eyes, lower brows, broader noses.

    Args:
        appearance (np.ndarray): Appearance of identities, shape (identities, len(APPEARANCE_NAMES)).
        numbers (Iterable[int]): Their numbers.
        seed (int): Seed of the dataset.

    Returns:
        np.ndarray: The same shape.
    """
    low, high = np.array(list(FACTORS.values())).T
    rows = [np.random.default_rng((seed, PROPORTION_STREAM, number)).uniform(low, high) for number in numbers]
    factors = dict(zip(FACTORS, np.reshape(rows, (-1, len(FACTORS))).T))
    table = dict(zip(APPEARANCE_NAMES, appearance.T))
    changed = dict(table)

    def stretch(name: str, factor: np.ndarray) -> None:
        changed[name] = table['eye_y'] + factor * (table[name] - table['eye_y'])

    for name in ('face_bottom', 'mouth_y'):
        stretch(name, factors['length'])
    stretch('nose_y', factors['length'] * factors['nose'])
    stretch('brow_y', factors['brow'])
    for name in EYE_PARTS:
        changed[name] = table[name] * factors['eye_width']
    changed['eye_height'] = changed['eye_height'] * factors['openness']
    for name in ('nose_width', 'mouth_width'):
        changed[name] = table[name] * factors[name]
    changed['shoulder_y'] = table['shoulder_y'] + SHOULDERS_FOLLOW * (changed['face_bottom'] - table['face_bottom'])
    return np.stack([changed[name] for name in APPEARANCE_NAMES], axis=1).astype(np.float32)
