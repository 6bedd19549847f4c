"""The clips of a synthetic dataset: names, splits and parameters as pure functions of the settings.

Any part of the dataset can be generated from its plan alone, in any order.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from leokit.synthetic_faces.appearance import sample_identities
from leokit.synthetic_faces.motion_parameters import BEHAVIORS
from leokit.synthetic_faces.proportions import adult_proportions
from leokit.synthetic_faces.random_motion import sample_motion
from leokit.synthetic_faces.texture import sample_textures
from leokit.utils import UserError
from leokit.video.frame_rate import exact_rate

SPLIT_STREAM = 3  # separates the random numbers of the split from those of identities and motions
FORMAT_VERSIONS = dict(drawn=2, textured=4)  # by style; incremented when the same settings give other images
MIN_SIZE = 16
STYLES = tuple(FORMAT_VERSIONS)
SETTINGS_FILE = 'synthetic_faces.json'  # of a dataset


@dataclass(frozen=True)
class SyntheticClip:
    """One video of a plan."""

    name: str
    identity: str
    split: str
    identity_number: int
    clip_number: int

    @property
    def file(self) -> str:
        """Path of the video within the folder of the dataset."""
        return f'videos/{self.name}.mp4'


@dataclass(frozen=True)
class SyntheticFacesPlan:
    """The settings of a synthetic dataset.

    Args:
        num_identities (int): Number of identities.
        clips_per_identity (int): Clips per identity; every clip has its own motion.
        num_frames (int): Frames per clip.
        size (int): Resolution of the images; even, as the video codec requires.
        seed (int): Seed of identities, motions and split.
        fps (float): Frame rate.
        style (str): ``'drawn'``, or ``'textured'`` with textures, shading and a camera (:mod:`~.texture`) and
            adult proportions (:mod:`~.proportions`), which are closer to photographs; the motion is the same.
        behavior (str, optional): One of ``BEHAVIORS`` in all clips; by default 40 % nod, 40 % talk and 20 % do both.
        train, val, test (float): Fractions of the identities, normalized to sum 1. Every split with a fraction above 0
            gets at least one identity if there are enough identities.
    """

    num_identities: int = 1000
    clips_per_identity: int = 5
    num_frames: int = 48
    size: int = 64
    seed: int = 0
    fps: float = 25.0
    train: float = 0.90
    val: float = 0.05
    test: float = 0.05
    style: str = 'drawn'
    behavior: str | None = None

    def __post_init__(self) -> None:
        for key in ('num_identities', 'clips_per_identity', 'num_frames', 'fps'):
            if getattr(self, key) <= 0:
                raise UserError(f'{key} must be positive, got {getattr(self, key)}')
        if self.size < MIN_SIZE or self.size % 2:
            raise UserError(f'size must be an even number of at least {MIN_SIZE} pixels, got {self.size}')
        if self.style not in STYLES:
            raise UserError(f'style must be {" or ".join(STYLES)}, got {self.style!r}')
        if self.behavior not in (None, *BEHAVIORS):
            raise UserError(f'behavior must be {", ".join(BEHAVIORS)} or None, got {self.behavior!r}')
        exact_rate(self.fps)  # raises for a rate that no video can have
        if self.seed < 0:
            raise UserError(f'seed must not be negative, got {self.seed}')
        if not all(0 <= part < math.inf for part in self._fractions()) or sum(self._fractions()) <= 0:
            raise UserError('the fractions of train, val and test must be finite, not negative and not all 0, got '
                            f'{self._fractions()}')

    def clips(self) -> list[SyntheticClip]:
        """All clips, in the order of the manifest and of the truth arrays."""
        splits = self.identity_splits()
        return [SyntheticClip(f'id{number:06d}_{clip:02d}', f'id{number:06d}', splits[number], number, clip)
                for number in range(self.num_identities) for clip in range(self.clips_per_identity)]

    def identity_splits(self) -> list[str]:
        """The split of each identity."""
        used = {name: part for name, part in zip(('train', 'val', 'test'), self._fractions()) if part}
        names, fractions = list(used), list(used.values())
        counts = np.floor(np.array(fractions) / sum(fractions) * self.num_identities).astype(int)
        if self.num_identities >= len(names):
            counts = np.maximum(counts, 1)
        counts[0] += self.num_identities - counts.sum()
        order = np.random.default_rng((self.seed, SPLIT_STREAM)).permutation(self.num_identities)
        splits = np.empty(self.num_identities, dtype=object)
        splits[order] = np.repeat(np.array(names, dtype=object), counts)
        return splits.tolist()

    def motion(self, clip: SyntheticClip) -> tuple[np.ndarray, str]:
        """Motion parameters of a clip, shape (T, len(MOTION_NAMES)), and its behavior."""
        return sample_motion(self.num_frames, seed=(self.seed, clip.identity_number, clip.clip_number), fps=self.fps,
                             behavior=self.behavior)

    def appearance(self, clip: SyntheticClip) -> np.ndarray:
        """Appearance parameters of a clip, shape (1, len(APPEARANCE_NAMES))."""
        numbers = [clip.identity_number]
        appearance = sample_identities(numbers, self.seed)
        return appearance if self.style == 'drawn' else adult_proportions(appearance, numbers, self.seed)

    def textures(self, clip: SyntheticClip) -> np.ndarray | None:
        """Textures of a clip, shape (1, len(TEXTURE_NAMES)); None for drawn faces."""
        return None if self.style == 'drawn' else sample_textures([clip.identity_number], self.seed)

    def settings(self) -> dict[str, Any]:
        """All settings that the images depend on, and the version of the format."""
        settings = dict(asdict(self), version=FORMAT_VERSIONS[self.style])
        # not in the settings of datasets from before there were these options
        if self.style == 'drawn':
            del settings['style']
        if self.behavior is None:
            del settings['behavior']
        return settings

    def _fractions(self) -> tuple[float, float, float]:
        return self.train, self.val, self.test
