"""Contact sheets: grids of small images with titles."""

from pathlib import Path
from typing import Iterable, Iterator, Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor

from leokit.utils import UserError, check_shape
from leokit.utils.files import clear_write_errors, write_bytes
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.visualization.flow_color import flow_to_color, mask_to_image

GAP = 4  # pixels between cells
MIN_CELL = 96  # smaller images are upsampled by an integer factor to at least this size
TITLE_HEIGHT = 22
MAX_TITLE_WIDTH = 220  # of row titles
MAX_COLUMNS = 16  # of a sequence sheet, unless it is given the frames to show
BACKGROUND, FOREGROUND = 255, 30
FONT, FONT_SCALE, MIN_FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0.28


def contact_sheet(rows: Sequence[Sequence[np.ndarray | None]], *, column_titles: Sequence[str] | None = None,
                  row_titles: Sequence[str] | None = None, scale: int | None = None) -> np.ndarray:
    """Arrange images in a grid.

    Args:
        rows (Sequence[Sequence[np.ndarray | None]]): Rows of uint8 RGB images (H, W, 3) of one size; None leaves a
            cell empty; rows may have different lengths.
        column_titles (Sequence[str], optional): Text above the columns.
        row_titles (Sequence[str], optional): Text left of the rows.
        scale (int, optional): Integer factor of nearest-neighbor upsampling. Default: None, the smallest that gives
            at least ``MIN_CELL`` pixels.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    images = [image for row in rows for image in row if image is not None]
    if not images:
        raise ValueError('a contact sheet needs at least one image')
    height, width = images[0].shape[:2]
    for image in images:
        if image.dtype != np.uint8 or image.shape != (height, width, 3):
            raise ValueError(f'all images must be uint8 of shape {(height, width, 3)}, got {image.dtype} of shape '
                             f'{image.shape}')
    scale = scale or max(1, -(-MIN_CELL // min(height, width)))
    cell_height, cell_width = height * scale, width * scale
    columns = max(len(row) for row in rows)
    top = GAP + (TITLE_HEIGHT if column_titles else 0)
    left = GAP + (min(MAX_TITLE_WIDTH, max(_text_width(title) for title in row_titles) + 8) if row_titles else 0)
    shape = (top + len(rows) * (cell_height + GAP), left + columns * (cell_width + GAP), 3)
    sheet = np.full(shape, BACKGROUND, np.uint8)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            if image is not None:
                y, x = top + i * (cell_height + GAP), left + j * (cell_width + GAP)
                cell = repeat(image, 'h w c -> (h sh) (w sw) c', sh=scale, sw=scale)
                sheet[y:y + cell_height, x:x + cell_width] = cell
    for j, title in enumerate(column_titles or ()):
        _write_text(sheet, title, left + j * (cell_width + GAP), GAP + 14, cell_width)
    for i, title in enumerate(row_titles or ()):
        _write_text(sheet, title, GAP, top + i * (cell_height + GAP) + cell_height // 2 + 5, left - GAP - 4)
    return sheet


def reconstruction_sheet(source: Tensor, driving: Tensor, reconstruction: Tensor, flow: Tensor, mask: Tensor,
                         names: Sequence[str] | None = None) -> np.ndarray:
    """One row per pair: source, driving frame, reconstruction, color-coded flow, mask.

    Args:
        source (Tensor): Source frames, shape (B, 3, H, W), in [-1, 1].
        driving (Tensor): Driving frames, same shape.
        reconstruction (Tensor): Output of the animator, same shape.
        flow (Tensor): Normalized sampling offsets, shape (B, 2, h, w) of any resolution; upsampled by nearest neighbor.
        mask (Tensor): Shape (B, 1, h, w), in [0, 1].
        names (Sequence[str], optional): Row titles.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    check_shape('source', source, (None, 3, None, None))
    batch, _, height, width = source.shape
    for name, tensor in (('driving', driving), ('reconstruction', reconstruction)):
        check_shape(name, tensor, (batch, 3, height, width))
    check_shape('flow', flow, (batch, 2, None, None))
    check_shape('mask', mask, (batch, 1, None, None))
    maps = [F.interpolate(image.float(), (height, width), mode='nearest')
            for image in (flow_to_color(flow), mask_to_image(mask))]
    columns = [_to_images(to_uint8(frames)) for frames in (source, driving, reconstruction)]
    columns += [_to_images(image.byte()) for image in maps]
    return contact_sheet(list(zip(*columns)), row_titles=names,
                         column_titles=('source', 'driving', 'reconstruction', 'flow', 'mask'))


def sequence_sheet(sequences: Tensor, *, every: int | None = None, names: Sequence[str] | None = None,
                   titles: Sequence[str] | None = None) -> np.ndarray:
    """One row per sequence, its frames from left to right.

    Args:
        sequences (Tensor): Frames, shape (K, T, 3, H, W), in [-1, 1].
        every (int, optional): Show every ``every``-th frame. Default: None, the smallest step that gives at most
            ``MAX_COLUMNS`` columns.
        names (Sequence[str], optional): Row titles.
        titles (Sequence[str], optional): Column titles. Default: None, the frame numbers.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    check_shape('sequences', sequences, (None, None, 3, None, None))
    every = every or -(-sequences.shape[1] // MAX_COLUMNS)
    shown = sequences[:, ::every]
    rows = [_to_images(to_uint8(frames)) for frames in shown]
    titles = titles or [f'{i * every}' for i in range(shown.shape[1])]
    return contact_sheet(rows, row_titles=names, column_titles=titles)


def labeled_grid(chunks: Iterable[Tensor], row_titles: Sequence[str], column_titles: Sequence[str]) -> Iterator[Tensor]:
    """Show videos side by side in one video with titles.

    Args:
        chunks (Iterable[Tensor]): Consecutive frames in [-1, 1], shape (rows * columns, t, 3, H, W), row by row.
        row_titles (Sequence[str]): One title per row.
        column_titles (Sequence[str]): One title per column.

    Yields:
        Tensor: The sheets in [-1, 1], shape (1, t, 3, sheet height, sheet width).
    """
    for chunk in chunks:
        frames = rearrange(to_uint8(chunk).cpu().numpy(), '(rows columns) t c h w -> t rows columns h w c',
                           columns=len(column_titles))
        sheets = np.stack([contact_sheet(frame, row_titles=row_titles, column_titles=column_titles)
                           for frame in frames])
        yield from_uint8(rearrange(torch.from_numpy(sheets), 't h w c -> 1 t c h w'))


def save_png(path: str | Path, image: np.ndarray) -> None:
    """Write an image as PNG, atomically.

    Args:
        path (str | Path): The file; its name must end in .png.
        image (np.ndarray): uint8, RGB (H, W, 3) or gray (H, W).
    """
    if Path(path).suffix.lower() != '.png':
        raise UserError(f'images are written as PNG, not as {path}; choose a name that ends in .png')
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError(f'image must be uint8 of shape (H, W, 3) or (H, W), got {image.dtype} of shape {image.shape}')
    done, content = cv2.imencode('.png', image[:, :, ::-1] if image.ndim == 3 else image)
    if not done:
        raise ValueError(f'an image of shape {image.shape} cannot be encoded as PNG')
    with clear_write_errors(path):
        write_bytes(path, content.tobytes())


def _to_images(frames: Tensor) -> list[np.ndarray]:
    """uint8 (B, 3, H, W) -> B arrays (H, W, 3)."""
    return list(rearrange(frames, 'b c h w -> b h w c').cpu().numpy())


def _ascii(text: str) -> str:
    """OpenCV's line fonts have ASCII only; other characters become question marks."""
    return str(text).encode('ascii', 'replace').decode()


def _text_width(text: str, font_scale: float = FONT_SCALE) -> int:
    return cv2.getTextSize(_ascii(text), FONT, font_scale, 1)[0][0]


def _write_text(sheet: np.ndarray, text: str, x: int, y: int, max_width: int) -> None:
    """Write a line at a baseline; a line that is too wide is set smaller, then truncated."""
    text = _ascii(text)
    font_scale = max(MIN_FONT_SCALE, min(FONT_SCALE, FONT_SCALE * max_width / max(1, _text_width(text))))
    while len(text) > 1 and _text_width(text, font_scale) > max_width:
        text = text[:-1]
    cv2.putText(sheet, text, (x, y), FONT, font_scale, (FOREGROUND, FOREGROUND, FOREGROUND), 1, cv2.LINE_AA)
