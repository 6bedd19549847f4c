"""Contact sheets of the output of trained models: reconstructions, transfers to other identities, generated videos."""

from contextlib import ExitStack
from pathlib import Path
from typing import Iterator, Sequence

import numpy as np
import torch
from einops import rearrange, repeat
from torch import Tensor

from leokit.datasets import FramePairDataset
from leokit.inference.rendering import CHUNK_SIZE
from leokit.metrics import l1_distance
from leokit.models import Animator
from leokit.utils import UserError
from leokit.utils.indices import evenly_spaced_indices
from leokit.utils.modules import device_of
from leokit.utils.pixels import from_uint8
from leokit.video import open_video, read_images, scan_folder
from leokit.visualization import contact_sheet, reconstruction_sheet, sequence_sheet
from leokit.visualization.contact_sheets import BACKGROUND

PAIR_ORDERS = ('even', 'worst')


@torch.no_grad()
def pair_sheet(animator: Animator, dataset: FramePairDataset, count: int = 6, *, order: str = 'even') -> np.ndarray:
    """Source, driving frame, reconstruction, flow and mask of pairs of a dataset, a row each.

    Args:
        animator (Animator): In evaluation mode.
        dataset (FramePairDataset): In evaluation mode.
        count (int): Pairs, at most as many as there are.
        order (str): ``'even'``, evenly spaced over the dataset, or ``'worst'``, those with the largest L1 first.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.

    Raises:
        UserError: If ``order`` is neither.
    """
    if order not in PAIR_ORDERS:
        raise UserError(f'order must be one of {", ".join(PAIR_ORDERS)}, got {order!r}')
    chosen = evenly_spaced_indices(len(dataset), count) if order == 'even' else worst_pairs(animator, dataset, count)
    items = [dataset[index] for index in chosen]
    source, driving = (from_uint8(torch.stack([item['inputs'][key] for item in items])).to(device_of(animator))
                       for key in ('source', 'driving'))
    animation = animator.transfer(source, driving)
    columns = (source, driving, animation.frames.float(), animation.flows[-1], animation.masks[-1])
    return reconstruction_sheet(*(column.cpu() for column in columns),
                                names=[item['data_samples']['name'] for item in items])


@torch.no_grad()
def worst_pairs(animator: Animator, dataset: FramePairDataset, count: int) -> list[int]:
    """Indices of the ``count`` pairs of a dataset whose reconstruction has the largest L1, largest first."""
    errors = []
    for first in range(0, len(dataset), CHUNK_SIZE):
        items = [dataset[index] for index in range(first, min(first + CHUNK_SIZE, len(dataset)))]
        source, driving = (from_uint8(torch.stack([item['inputs'][key] for item in items])).to(device_of(animator))
                           for key in ('source', 'driving'))
        errors.append(l1_distance(animator.transfer(source, driving).frames.float(), driving).cpu())
    return torch.cat(errors).argsort(descending=True, stable=True)[:count].tolist()


@torch.no_grad()
def transfer_sheet(animator: Animator, images: Sequence[str | Path], driving: str | Path,
                   count: int = 8) -> np.ndarray:
    """Images animated by a driving video, relative to its first frame; the driving frames are the first row.

    Args:
        animator (Animator): In evaluation mode.
        images (Sequence[str | Path]): Source images.
        driving (str | Path): Driving video.
        count (int): Frames of the video, evenly spaced.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    device = device_of(animator)
    with open_video(driving) as video:
        indices = evenly_spaced_indices(len(video), count)
        frames = read_images(list(video.read(indices)), animator.size, crop=animator.crop).to(device)  # (T, 3, S, S)
    sources = [read_images(image, animator.size, crop=animator.crop) for image in images]
    sources = torch.cat(sources).to(device)  # (K, 3, S, S)
    motion = repeat(animator.encode(frames).motion, 't n -> k t n', k=len(sources))
    animated = animator.animate(animator.encode(sources), motion, start=motion[:1, 0]).frames  # (K, T, 3, S, S)
    rows = torch.cat((frames[None], animated.float())).cpu()
    first = torch.cat((torch.ones_like(frames[:1]), sources)).cpu()  # a white corner above the sources
    names = ['driving'] + [Path(image).stem for image in images]
    titles = ['source'] + [f'frame {index}' for index in indices]
    return sequence_sheet(torch.cat((first[:, None], rows), dim=1), every=1, names=names, titles=titles)


def video_sheet(folder: str | Path, count: int = 6, columns: int = 10) -> np.ndarray:
    """Frames of videos in a folder, one row per video.

    Args:
        folder (str | Path): Videos of one size.
        count (int): Number of videos, evenly spaced over those in the folder.
        columns (int): Frames of each video, evenly spaced.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    entries = scan_folder(folder)
    if not entries:
        raise UserError(f'{folder} holds no video to show; generate some with leokit generate')
    shown = [entries[index] for index in evenly_spaced_indices(len(entries), count)]
    rows, indices = [], []
    for entry in shown:
        with open_video(entry.path) as video:
            indices.append(tuple(evenly_spaced_indices(len(video), columns)))
            rows.append(list(video.read(indices[-1])))
    sizes = sorted({frame.shape[:2] for row in rows for frame in row})
    if len(sizes) > 1:
        raise UserError(f'the videos in {folder} have frames of different sizes ({sizes[0]}, {sizes[1]}, height and '
                        'width), which do not fit on one sheet; put videos of one size into a folder')
    # column titles only if they hold for all rows
    titles = [f'frame {index}' for index in indices[0]] if len(set(indices)) == 1 else None
    return contact_sheet(rows, row_titles=[f'{Path(folder).name}/{entry.name}' for entry in shown],
                         column_titles=titles)


def video_grid(folder: str | Path, count: int = 16, columns: int = 8) -> Iterator[Tensor]:
    """The first videos in a folder side by side in one video, as long as the shortest of them.

    Args:
        folder (str | Path): Videos of one size.
        count (int): Number of videos.
        columns (int): Videos per row; missing ones in the last row are white.

    Yields:
        Tensor: Consecutive frames in [-1, 1], shape (1, t, 3, rows * H, columns * W).
    """
    with ExitStack() as stack:
        videos = [stack.enter_context(open_video(entry.path)) for entry in scan_folder(folder)[:count]]
        columns = min(columns, len(videos))
        length = min(map(len, videos))
        for first in range(0, length, CHUNK_SIZE):
            frames = np.stack([video.read(range(first, min(first + CHUNK_SIZE, length))) for video in videos])
            frames = np.pad(frames, [(0, -len(videos) % columns), *[(0, 0)] * 4], constant_values=BACKGROUND)
            grid = rearrange(frames, '(rows columns) t h w c -> 1 t c (rows h) (columns w)', columns=columns)
            yield from_uint8(torch.from_numpy(grid))


def stack_sheets(sheets: Sequence[np.ndarray]) -> np.ndarray:
    """Sheets of any size below each other, uint8 (sum of heights, largest width, 3)."""
    width = max(sheet.shape[1] for sheet in sheets)
    padded = [np.pad(sheet, ((0, 0), (0, width - sheet.shape[1]), (0, 0)), constant_values=BACKGROUND)
              for sheet in sheets]
    return np.concatenate(padded)
