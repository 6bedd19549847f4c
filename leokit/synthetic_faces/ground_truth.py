"""Ground truth of a synthetic dataset: the appearance and motion parameters of every frame."""

import io
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from leokit.synthetic_faces.appearance import APPEARANCE_NAMES
from leokit.synthetic_faces.dataset_plan import SETTINGS_FILE, SyntheticFacesPlan
from leokit.synthetic_faces.motion_parameters import MOTION_NAMES
from leokit.synthetic_faces.renderer import render_faces
from leokit.synthetic_faces.texture import TEXTURE_NAMES
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
    textures: np.ndarray | None = None  # float32 (videos, textures) in the style ``textured``

    def index(self, name: str) -> int:
        """Row of the video ``name``; raises a ``KeyError`` if there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(f'no video {name!r} in the ground truth of {len(self.names)} videos') from None

    def frames(self, row: int, motion: np.ndarray, *, size: int, appearance: np.ndarray | None = None,
               noise: bool = True) -> Tensor:
        """Render the identity of a video, with its textures if there are any.

        Args:
            row (int): Row of the video.
            motion (np.ndarray): Motion parameters, shape (T, len(motion_names)).
            size (int): Resolution.
            appearance (np.ndarray, optional): Another appearance, shape (len(appearance_names),).
            noise (bool): With the noise of the camera, which is different in every frame.

        Returns:
            Tensor: RGB, uint8, shape (T, 3, size, size).
        """
        look = self.appearance[row] if appearance is None else appearance
        textures = None if self.textures is None else torch.tensor(self.textures[row][None])
        if textures is not None and not noise:
            textures[:, TEXTURE_NAMES.index('noise')] = 0
        return render_faces(torch.from_numpy(look[None]), torch.from_numpy(motion), size=size, textures=textures)


def save_truth(folder: str | Path, plan: SyntheticFacesPlan) -> None:
    """Write the parameters of all clips of a plan to ``truth.npz`` in the folder of the dataset, atomically."""
    clips = plan.clips()
    motions, behaviors = zip(*(plan.motion(clip) for clip in clips))
    textures = [plan.textures(clip) for clip in clips]
    optional = {} if textures[0] is None else dict(textures=np.concatenate(textures))
    content = io.BytesIO()
    np.savez_compressed(
        content, names=[clip.name for clip in clips], identities=[clip.identity for clip in clips],
        behaviors=list(behaviors), motion=np.stack(motions), motion_names=MOTION_NAMES,
        appearance=np.concatenate([plan.appearance(clip) for clip in clips]), appearance_names=APPEARANCE_NAMES,
        **optional)
    write_bytes(Path(folder) / TRUTH_FILE, content.getvalue())


def load_truth(folder: str | Path) -> SyntheticTruth:
    """Read the ground truth of a synthetic dataset from its folder."""
    path = Path(folder) / TRUTH_FILE
    if not path.is_file():
        raise UserError(f'{path} does not exist; create the dataset with `leokit synthetic-faces`')
    try:
        with np.load(path, allow_pickle=False) as arrays:
            # (videos,) lists, (videos, ...) parameters, names of the last axis
            content = {key: arrays[key if key in arrays else OLD_KEYS[key]] for key in SyntheticTruth._fields
                       if key in arrays or key not in SyntheticTruth._field_defaults}
            lists = {key: content[key].tolist() for key in ('names', 'identities', 'behaviors')}
            columns = {key: tuple(_current_name(name) for name in content[key].tolist())
                       for key in ('motion_names', 'appearance_names')}
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f'{path} is damaged ({error}); delete it and run `leokit synthetic-faces` again') from error
    truth = SyntheticTruth(**content | lists | columns)
    _check_textures(truth, path)
    return truth


def _check_textures(truth: SyntheticTruth, path: Path) -> None:
    """Raise if textures are missing, or those of another version, with which other images would be rendered."""
    settings = path.with_name(SETTINGS_FILE)
    try:
        style = json.loads(settings.read_text()).get('style') if settings.is_file() else None
    except (ValueError, AttributeError, OSError) as error:
        raise UserError(f'{settings} is damaged ({error}); render the dataset again in another folder') from error
    found = 0 if truth.textures is None else truth.textures.shape[-1]
    if (found or style == 'textured') and found != len(TEXTURE_NAMES):
        raise UserError(f'{path} has {found} textures, not {len(TEXTURE_NAMES)}: it is of another version of leokit; '
                        'render the dataset again in another folder with `leokit synthetic-faces --style textured`')


def _current_name(name: str) -> str:
    """Current spelling of a parameter name; older datasets have the British one."""
    return name.replace('colour', 'color').replace('moustache', 'mustache')
