"""Contact sheets of what trained models make: reconstructions, transfers to other people, generated videos."""

from contextlib import ExitStack
from pathlib import Path
from typing import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from leokit.datasets import FramePairDataset
from leokit.inference.rendering import CHUNK_SIZE
from leokit.models import Animator
from leokit.utils import UserError
from leokit.utils.modules import device_of
from leokit.utils.pixels import from_uint8
from leokit.video import open_video, read_images, scan_folder
from leokit.visualization import contact_sheet, reconstruction_sheet, sequence_sheet

BACKGROUND = 255  # white, as the sheets' own


def spread_indices(total: int, count: int) -> list[int]:
    """At most ``count`` different indices spread over ``total`` ones, first and last included."""
    return sorted({round(i) for i in np.linspace(0, total - 1, min(count, total))})


def pair_sheet(animator: Animator, dataset: FramePairDataset, count: int = 6) -> np.ndarray:
    """Source, driving, reconstruction, flow and mask of pairs spread over a data set.

    Args:
        animator (Animator): In evaluation mode.
        dataset (FramePairDataset): Pairs; asked by number, so always the same.
        count (int): Rows.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    device = device_of(animator)
    items = [dataset[index] for index in spread_indices(len(dataset), count)]
    source, driving = (from_uint8(torch.stack([item['inputs'][key] for item in items])).to(device)
                       for key in ('source', 'driving'))
    with torch.no_grad():
        animation = animator.transfer(source, driving)
    columns = (source, driving, animation.frames.float(), animation.flows[-1], animation.masks[-1])
    return reconstruction_sheet(*(column.cpu() for column in columns),
                                names=[item['data_samples']['name'] for item in items])


def transfer_sheet(animator: Animator, pictures: Sequence[str | Path], driving: str | Path,
                   count: int = 8) -> np.ndarray:
    """Pictures moved by a driving video, relative to its first frame; the driving frames on top.

    Args:
        animator (Animator): In evaluation mode.
        pictures (Sequence[str | Path]): The sources.
        driving (str | Path): A video.
        count (int): Frames of the video, evenly spread.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    device = device_of(animator)
    with open_video(driving) as video:
        numbers = spread_indices(len(video), count)
        frames = read_images(list(video.read(numbers)), animator.size).to(device)
    sources = torch.cat([read_images(picture, animator.size) for picture in pictures]).to(device)
    with torch.no_grad():
        codes = animator.encode(frames).motion
        encoding = animator.encode(sources)
        moved = animator.animate(encoding, codes[None].expand(len(sources), -1, -1), start=codes[:1]).frames
    rows = torch.cat((frames[None], moved.float())).cpu()
    first = torch.cat((torch.ones_like(frames[:1]), sources)).cpu()  # an empty corner, then the pictures themselves
    table = torch.cat((first[:, None], rows), dim=1)
    names = ['driving'] + [Path(picture).stem for picture in pictures]
    titles = ['source'] + [f'frame {number}' for number in numbers]
    return sequence_sheet(table, every=1, names=names, titles=titles)


def video_sheet(folder: str | Path, count: int = 6, columns: int = 10) -> np.ndarray:
    """Frames of videos of a folder, one row a video.

    Args:
        folder (str | Path): Videos, all of one size.
        count (int): Rows.
        columns (int): Frames of each video, evenly spread.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.

    Raises:
        UserError: If the folder holds no video, or videos of different sizes.
    """
    entries = scan_folder(folder)
    if not entries:
        raise UserError(f'{folder} holds no video to show; generate some with tools/generate.py')
    rows, numbers = [], []
    for index in spread_indices(len(entries), count):
        with open_video(entries[index].path) as video:
            numbers.append(tuple(spread_indices(len(video), columns)))
            rows.append(list(video.read(numbers[-1])))
    sizes = sorted({frame.shape[:2] for row in rows for frame in row})
    if len(sizes) > 1:
        raise UserError(f'the videos in {folder} have frames of different sizes ({sizes[0]}, {sizes[1]}, height and '
                        f'width), which fit no common sheet; show them folder by folder')
    names = [f'{Path(folder).name}/{entries[index].name}' for index in spread_indices(len(entries), count)]
    titles = [f'frame {number}' for number in numbers[0]] if len(set(numbers)) == 1 else None  # of all rows, or none
    return contact_sheet(rows, row_titles=names, column_titles=titles)


def video_grid(folder: str | Path, count: int = 16, columns: int = 8) -> Iterator[Tensor]:
    """The first videos of a folder side by side, as one video to watch.

    Args:
        folder (str | Path): Videos, all of one size.
        count (int): Videos to show.
        columns (int): Videos in a row; an incomplete row ends in white.

    Yields:
        Tensor: Consecutive frames in [-1, 1], shape (1, t, 3, rows * H, columns * W), as long as the shortest video.
    """
    with ExitStack() as stack:
        videos = [stack.enter_context(open_video(entry.path)) for entry in scan_folder(folder)[:count]]
        columns = min(columns, len(videos))
        length = min(map(len, videos))
        for first in range(0, length, CHUNK_SIZE):
            frames = np.stack([video.read(range(first, min(first + CHUNK_SIZE, length))) for video in videos])
            frames = np.pad(frames, [(0, -len(videos) % columns), *[(0, 0)] * 4], constant_values=BACKGROUND)
            grid = torch.from_numpy(frames).unflatten(0, (-1, columns))  # (rows, columns, t, H, W, 3)
            yield from_uint8(grid.permute(2, 5, 0, 3, 1, 4).flatten(4, 5).flatten(2, 3))[None]


def stack_sheets(sheets: Sequence[np.ndarray]) -> np.ndarray:
    """Put sheets below each other.

    Args:
        sheets (Sequence[np.ndarray]): uint8 pictures (H, W, 3) of any size.

    Returns:
        np.ndarray: uint8, shape (sum of heights, largest width, 3).
    """
    width = max(sheet.shape[1] for sheet in sheets)
    padded = [np.pad(sheet, ((0, 0), (0, width - sheet.shape[1]), (0, 0)), constant_values=BACKGROUND)
              for sheet in sheets]
    return np.concatenate(padded)
