"""The true parameters of a synthetic data set: what every frame shows, to hold learned motion codes against."""

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from leokit.synthetic_faces.appearance import IDENTITY_NAMES
from leokit.synthetic_faces.dataset_plan import SyntheticFacesPlan
from leokit.synthetic_faces.motion_parameters import MOTION_NAMES
from leokit.utils import UserError
from leokit.utils.files import write_bytes

TRUTH_FILE = 'truth.npz'


class SyntheticTruth(NamedTuple):
    """True parameters, one row a video, in the order of the manifest."""

    names: list[str]  # of the videos
    identities: list[str]
    behaviors: list[str]  # of BEHAVIORS
    motion: np.ndarray  # float32 (videos, T, len(motion_names))
    looks: np.ndarray  # float32 (videos, len(looks_names))
    motion_names: tuple[str, ...]
    looks_names: tuple[str, ...]

    def index(self, name: str) -> int:
        """The row of the video ``name``.

        Raises:
            KeyError: If there is no such video.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(f'no video {name!r} in the truth; it holds {len(self.names)}') from None


def save_truth(folder: str | Path, plan: SyntheticFacesPlan) -> None:
    """Draw the parameters of all clips of a plan again and write them as ``truth.npz``, atomically.

    Args:
        folder (str | Path): The data set's folder.
        plan (SyntheticFacesPlan): What it holds.
    """
    clips = plan.clips()
    motions, behaviors = zip(*(plan.motion(clip) for clip in clips))
    content = io.BytesIO()
    np.savez_compressed(
        content, names=[clip.name for clip in clips], identities=[clip.identity for clip in clips],
        behaviors=list(behaviors), motion=np.stack(motions), motion_names=MOTION_NAMES,
        looks=np.concatenate([plan.looks(clip) for clip in clips]), looks_names=IDENTITY_NAMES)
    write_bytes(Path(folder) / TRUTH_FILE, content.getvalue())


def load_truth(folder: str | Path) -> SyntheticTruth:
    """Read the true parameters of a synthetic data set.

    Args:
        folder (str | Path): The data set's folder, where ``manifest.json`` lies.

    Returns:
        SyntheticTruth: Rows in the order of the manifest.

    Raises:
        UserError: If there is no such file, or it is damaged.
    """
    path = Path(folder) / TRUTH_FILE
    if not path.is_file():
        raise UserError(f'{path} does not exist; make the data set with '
                        'tools/dataset_converters/make_synthetic_faces.py')
    try:
        with np.load(path, allow_pickle=False) as arrays:
            spelling = 'behaviors' if 'behaviors' in arrays else 'behaviours'  # data sets of older versions
            lists = [arrays[key].tolist() for key in ('names', 'identities', spelling)]
            tables = [arrays[key] for key in ('motion', 'looks')]
            columns = [tuple(_current_name(name) for name in arrays[key].tolist())
                       for key in ('motion_names', 'looks_names')]
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f'{path} is damaged ({error}); delete it and run make_synthetic_faces.py again') from error
    return SyntheticTruth(*lists, *tables, *columns)


def _current_name(name: str) -> str:
    """A column's name in the current spelling; older data sets have the British one."""
    return name.replace('colour', 'color').replace('moustache', 'mustache')
