"""Ground truth of a synthetic dataset: the appearance and motion parameters of every frame."""

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from leokit.synthetic_faces.appearance import APPEARANCE_NAMES
from leokit.synthetic_faces.dataset_plan import SyntheticFacesPlan
from leokit.synthetic_faces.motion_parameters import MOTION_NAMES
from leokit.utils import UserError
from leokit.utils.files import write_bytes

TRUTH_FILE = 'truth.npz'
# Keys in datasets of older versions.
OLD_KEYS = dict(behaviors='behaviours', appearance='looks', appearance_names='looks_names')


class SyntheticTruth(NamedTuple):
    """Ground-truth parameters, one row per video, in the order of the manifest."""

    names: list[str]  # of the videos
    identities: list[str]
    behaviors: list[str]  # each one of BEHAVIORS
    motion: np.ndarray  # float32 (videos, T, len(motion_names))
    appearance: np.ndarray  # float32 (videos, len(appearance_names))
    motion_names: tuple[str, ...]
    appearance_names: tuple[str, ...]

    def index(self, name: str) -> int:
        """Row of the video ``name``; raises a ``KeyError`` if there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(f'no video {name!r} in the ground truth of {len(self.names)} videos') from None


def save_truth(folder: str | Path, plan: SyntheticFacesPlan) -> None:
    """Write the parameters of all clips of a plan to ``truth.npz`` in the folder of the dataset, atomically."""
    clips = plan.clips()
    motions, behaviors = zip(*(plan.motion(clip) for clip in clips))
    content = io.BytesIO()
    np.savez_compressed(
        content, names=[clip.name for clip in clips], identities=[clip.identity for clip in clips],
        behaviors=list(behaviors), motion=np.stack(motions), motion_names=MOTION_NAMES,
        appearance=np.concatenate([plan.appearance(clip) for clip in clips]), appearance_names=APPEARANCE_NAMES)
    write_bytes(Path(folder) / TRUTH_FILE, content.getvalue())


def load_truth(folder: str | Path) -> SyntheticTruth:
    """Read the ground truth of a synthetic dataset from its folder."""
    path = Path(folder) / TRUTH_FILE
    if not path.is_file():
        raise UserError(f'{path} does not exist; create the dataset with `leokit synthetic-faces`')
    try:
        with np.load(path, allow_pickle=False) as arrays:
            # (videos,) lists, (videos, ...) parameters, names of the last axis
            content = {key: arrays[key if key in arrays else OLD_KEYS[key]] for key in SyntheticTruth._fields}
            lists = {key: content[key].tolist() for key in ('names', 'identities', 'behaviors')}
            columns = {key: tuple(_current_name(name) for name in content[key].tolist())
                       for key in ('motion_names', 'appearance_names')}
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f'{path} is damaged ({error}); delete it and run `leokit synthetic-faces` again') from error
    return SyntheticTruth(**content | lists | columns)


def _current_name(name: str) -> str:
    """Current spelling of a parameter name; older datasets have the British one."""
    return name.replace('colour', 'color').replace('moustache', 'mustache')
