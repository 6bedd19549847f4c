"""Contact sheets: many small pictures with titles on one PNG."""

from pathlib import Path
from typing import Sequence

import cv2
import numpy as np
import torch.nn.functional as F
from torch import Tensor

from leokit.utils import UserError, check_shape
from leokit.utils.files import clear_write_errors, write_bytes
from leokit.utils.pixels import to_uint8
from leokit.visualization.flow_color import flow_to_color, mask_to_image

GAP = 4  # pixels between cells
MIN_CELL = 96  # smaller pictures are enlarged by a whole factor to at least this side
TITLE_HEIGHT = 22
MAX_TITLE_WIDTH = 220  # of the titles beside the rows
MAX_COLUMNS = 16  # of a sequence sheet that is not told which frames to show
BACKGROUND, FOREGROUND = 255, 30
FONT, FONT_SCALE, MIN_FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0.28


def contact_sheet(rows: Sequence[Sequence[np.ndarray | None]], *, column_titles: Sequence[str] | None = None,
                  row_titles: Sequence[str] | None = None, scale: int | None = None) -> np.ndarray:
    """Put pictures into a grid.

    Args:
        rows (Sequence[Sequence[np.ndarray | None]]): Rows of uint8 pictures (H, W, 3), RGB, all of one size; None
            leaves a cell empty; rows may have different lengths.
        column_titles (Sequence[str], optional): Text above the columns.
        row_titles (Sequence[str], optional): Text left of the rows.
        scale (int, optional): Whole factor by which pictures are enlarged, without smoothing. Default: None, what
            brings them to at least ``MIN_CELL`` pixels.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.

    Raises:
        ValueError: If there is no picture, or type or sizes differ.
    """
    pictures = [picture for row in rows for picture in row if picture is not None]
    if not pictures:
        raise ValueError('a contact sheet needs at least one picture')
    height, width = pictures[0].shape[:2]
    for picture in pictures:
        if picture.dtype != np.uint8 or picture.shape != (height, width, 3):
            raise ValueError(f'all pictures must be uint8 of shape {(height, width, 3)}, got {picture.dtype} of shape '
                             f'{picture.shape}')
    scale = scale or max(1, -(-MIN_CELL // min(height, width)))
    cell_height, cell_width = height * scale, width * scale
    columns = max(len(row) for row in rows)
    top = GAP + (TITLE_HEIGHT if column_titles else 0)
    left = GAP + (min(MAX_TITLE_WIDTH, max(_text_width(title) for title in row_titles) + 8) if row_titles else 0)
    shape = (top + len(rows) * (cell_height + GAP), left + columns * (cell_width + GAP), 3)
    sheet = np.full(shape, BACKGROUND, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            if picture is not None:
                y, x = top + i * (cell_height + GAP), left + j * (cell_width + GAP)
                sheet[y:y + cell_height, x:x + cell_width] = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    for j, title in enumerate(column_titles or ()):
        _write_text(sheet, title, left + j * (cell_width + GAP), GAP + 14, cell_width)
    for i, title in enumerate(row_titles or ()):
        _write_text(sheet, title, GAP, top + i * (cell_height + GAP) + cell_height // 2 + 5, left - GAP - 4)
    return sheet


def reconstruction_sheet(source: Tensor, driving: Tensor, reconstruction: Tensor, flow: Tensor, mask: Tensor,
                         names: Sequence[str] | None = None) -> np.ndarray:
    """One row a pair: source, driving, reconstruction, flow as color, mask.

    Args:
        source (Tensor): Source frames, shape (B, 3, H, W), in [-1, 1].
        driving (Tensor): Driving frames, the same shape.
        reconstruction (Tensor): What the animator made, the same shape.
        flow (Tensor): Normalized sampling offsets, shape (B, 2, h, w) of any side; enlarged without smoothing.
        mask (Tensor): Shape (B, 1, h, w), in [0, 1].
        names (Sequence[str], optional): Titles of the rows.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    check_shape('source', source, (None, 3, None, None))
    batch, _, height, width = source.shape
    for name, tensor in (('driving', driving), ('reconstruction', reconstruction)):
        check_shape(name, tensor, (batch, 3, height, width))
    check_shape('flow', flow, (batch, 2, None, None))
    check_shape('mask', mask, (batch, 1, None, None))
    maps = [F.interpolate(picture.float(), (height, width), mode='nearest')
            for picture in (flow_to_color(flow), mask_to_image(mask))]
    columns = [_pictures(to_uint8(frames)) for frames in (source, driving, reconstruction)]
    columns += [_pictures(picture.byte()) for picture in maps]
    return contact_sheet(list(zip(*columns)), row_titles=names,
                         column_titles=('source', 'driving', 'reconstruction', 'flow', 'mask'))


def sequence_sheet(sequences: Tensor, *, every: int | None = None, names: Sequence[str] | None = None,
                   titles: Sequence[str] | None = None) -> np.ndarray:
    """One row a sequence, its frames from left to right.

    Args:
        sequences (Tensor): Frames, shape (K, T, 3, H, W), in [-1, 1].
        every (int, optional): Show every so many frames. Default: None, what makes at most ``MAX_COLUMNS`` columns.
        names (Sequence[str], optional): Titles of the rows.
        titles (Sequence[str], optional): Titles of the columns. Default: None, the numbers of the frames.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    check_shape('sequences', sequences, (None, None, 3, None, None))
    every = every or -(-sequences.shape[1] // MAX_COLUMNS)
    shown = sequences[:, ::every]
    rows = [_pictures(to_uint8(frames)) for frames in shown]
    titles = titles or [f'{i * every}' for i in range(shown.shape[1])]
    return contact_sheet(rows, row_titles=names, column_titles=titles)


def save_png(path: str | Path, image: np.ndarray) -> None:
    """Write a picture as PNG, atomically.

    Args:
        path (str | Path): The file.
        image (np.ndarray): uint8, shape (H, W, 3), RGB, or (H, W), gray.

    Raises:
        ValueError: If type or shape is another.
        UserError: If the name does not end in .png, or the disk is full or refuses.
    """
    if Path(path).suffix.lower() != '.png':
        raise UserError(f'pictures are written as PNG, not as {path}; choose a name that ends in .png')
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError(f'image must be uint8 of shape (H, W, 3) or (H, W), got {image.dtype} of shape {image.shape}')
    done, content = cv2.imencode('.png', image[:, :, ::-1] if image.ndim == 3 else image)
    if not done:
        raise ValueError(f'an image of shape {image.shape} cannot be encoded as PNG')
    with clear_write_errors(path):
        write_bytes(path, content.tobytes())


def _pictures(frames: Tensor) -> list[np.ndarray]:
    """uint8 (B, 3, H, W) -> B arrays (H, W, 3)."""
    return list(frames.permute(0, 2, 3, 1).cpu().numpy())


def _plain(text: str) -> str:
    """What the line font can draw: other characters than ASCII become question marks."""
    return str(text).encode('ascii', 'replace').decode()


def _text_width(text: str, font_scale: float = FONT_SCALE) -> int:
    return cv2.getTextSize(_plain(text), FONT, font_scale, 1)[0][0]


def _write_text(sheet: np.ndarray, text: str, x: int, y: int, room: int) -> None:
    """Write a line at a baseline, smaller and at last cut off if it is wider than the room."""
    text = _plain(text)
    font_scale = max(MIN_FONT_SCALE, min(FONT_SCALE, FONT_SCALE * room / max(1, _text_width(text))))
    while len(text) > 1 and _text_width(text, font_scale) > room:
        text = text[:-1]
    cv2.putText(sheet, text, (x, y), FONT, font_scale, (FOREGROUND, FOREGROUND, FOREGROUND), 1, cv2.LINE_AA)
