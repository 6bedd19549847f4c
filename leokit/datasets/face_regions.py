"""Files with the regions of the faces in a dataset: a box per frame and region, written by ``leokit data regions``."""

import io
import zipfile
from pathlib import Path
from typing import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from leokit.datasets.video_dataset import check_same_crop
from leokit.nn.face_regions import FACE_REGIONS, boxes_to_maps
from leokit.utils import UserError
from leokit.utils.files import clear_write_errors, write_bytes
from leokit.video.video_entry import VideoEntry, warn_listed

KEYS = ('names', 'frames', 'boxes', 'region_names', 'crop')


def save_face_regions(path: str | Path, boxes: Mapping[str, np.ndarray], crop: str = '') -> None:
    """Write the regions of a dataset to an ``.npz`` file, atomically.

    Args:
        path (str | Path): The file.
        boxes (Mapping[str, np.ndarray]): For every video by its name, the boxes of ``FACE_REGIONS`` in all of its
            frames: left, top, right, bottom as fractions of the square frame, shape (T, R, 4); NaN where not found.
        crop (str): How frames became square (:func:`~leokit.video.resize.fit_frames`); empty if they were square.
    """
    for name, values in boxes.items():
        if values.ndim != 3 or values.shape[1:] != (len(FACE_REGIONS), 4):
            raise ValueError(f'boxes of {name!r} must have shape (T, {len(FACE_REGIONS)}, 4), got {values.shape}')
    content = io.BytesIO()
    np.savez_compressed(
        content, names=np.array(list(boxes)), frames=np.array([len(x) for x in boxes.values()], np.int64),
        boxes=np.concatenate([np.zeros((0, len(FACE_REGIONS), 4)), *boxes.values()]).astype(np.float32),
        region_names=FACE_REGIONS, crop=crop)
    with clear_write_errors(path):
        write_bytes(path, content.getvalue())


def load_face_regions(path: str | Path) -> tuple[dict[str, np.ndarray], str]:
    """Read a file of :func:`save_face_regions`: boxes by the names of the videos, and ``crop``."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f'the file of face regions {path} does not exist; write it with `leokit data regions`')
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names, frames, boxes, region_names, crop = (arrays[key] for key in KEYS)
        if tuple(region_names.tolist()) != FACE_REGIONS or len(boxes) != frames.sum() or len(names) != len(frames):
            raise ValueError('its parts do not fit together')
        parts = np.split(boxes, np.cumsum(frames)[:-1])
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f'{path} is no file of face regions, or damaged ({error}); write it again with '
                        '`leokit data regions`') from error
    return dict(zip(names.tolist(), parts)), str(crop)


class FaceRegionTable:
    """The regions of a dataset's frames.

    Args:
        files (str | Path | Sequence): One or several files of :func:`save_face_regions`; of none, no region is known.
        videos (Sequence[VideoEntry]): The videos of the dataset. Those without regions are named in a warning.
        crop (str): How the frames of the dataset become square.
    """

    def __init__(self, files: str | Path | Sequence[str | Path], videos: Sequence[VideoEntry], crop: str) -> None:
        files = [files] if isinstance(files, (str, Path)) else list(files)
        self._boxes: dict[str, np.ndarray] = {}
        origin: dict[str, str | Path] = {}
        for file in files:
            boxes, encoded = load_face_regions(file)
            check_same_crop(crop, encoded or None, f'the face regions of {file}')
            for name in boxes:
                if name in origin:
                    raise UserError(f'both {origin[name]} and {file} have regions of the video {name!r}; pass only one '
                                    'of them')
            origin.update(dict.fromkeys(boxes, file))
            self._boxes.update(boxes)
        missing = [str(video.path) for video in videos if video.name not in self._boxes]
        if files and len(missing) == len(videos):
            raise UserError(f'{", ".join(map(str, files))} has regions of none of the {len(videos)} videos, such as '
                            f'{videos[0].name!r}; write the regions of this dataset with `leokit data regions`')
        if files and missing:
            warn_listed(f'{len(missing)} of {len(videos)} videos have no face regions', missing)
        for video in videos:
            known = self._boxes.get(video.name)
            if known is not None and len(known) != video.frames:
                raise UserError(f'{origin[video.name]} has regions of {len(known)} frames of the video {video.name!r}, '
                                f'which has {video.frames}; write it again with `leokit data regions`')

    def maps(self, video: VideoEntry, frame: int) -> Tensor:
        """Maps of the regions of a frame, by its number in the file: float32 (R, 2, 3), NaN where not known."""
        boxes = self._boxes.get(video.name)
        if boxes is None:
            return torch.full((len(FACE_REGIONS), 2, 3), torch.nan)
        return boxes_to_maps(torch.from_numpy(boxes[frame]))
