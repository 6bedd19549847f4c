"""The numbers that the checks of a clip work on."""

from dataclasses import dataclass, field

import numpy as np

SIDE = 64  # of the copies that consecutive frames are compared on
PARTS = 8  # such a copy has 8x8 parts
SMALL_SIDE = 16  # of the copies that are kept of all frames
SAMPLES_PER_SECOND = 4  # frames whose borders and details are measured
DETAIL_SIDE = 256  # shorter side at which blur and captions are measured


@dataclass
class ClipMeasures:
    """Measures of a clip of T frames, of which K are sampled evenly.

    Attributes:
        frame_rate (float): Frames per second.
        size (tuple[int, int]): Height and width of the frames.
        small (np.ndarray): Copies of the frames, uint8 (T, 16, 16, 3).
        change (np.ndarray): Mean absolute difference of a frame from the one before in gray levels, at 64x64 pixels
            and without changes of the mean brightness; (T,), 0 for the first.
        color_change (np.ndarray): Hellinger distance of the histograms of colors (8 levels of each channel) of a frame
            and the one before, 0 to 1; (T,), 0 for the first.
        largest_change (np.ndarray): The difference, with brightness, of that of 8x8 parts of the frame that changes
            most; (T,), 0 for the first.
        black (np.ndarray): Share of black pixels; (T,).
        sampled (np.ndarray): Numbers of the sampled frames; (K,).
        sharpness (np.ndarray): See :func:`~leokit.video.cleaning.blur.sharpness`; (K,).
        text (np.ndarray): See :func:`~leokit.video.cleaning.captions.text_density`; (K,).
        rows (np.ndarray): Largest share of pixels that are not black in each row of the sampled frames; (H,).
        columns (np.ndarray): The same for columns; (W,).
        face_frames (np.ndarray): Numbers of the frames in which faces were searched.
        faces (list[np.ndarray]): For each of these, the boxes of all faces, shape (faces, 4).
    """

    frame_rate: float
    size: tuple[int, int]
    small: np.ndarray
    change: np.ndarray
    color_change: np.ndarray
    largest_change: np.ndarray
    black: np.ndarray
    sampled: np.ndarray
    sharpness: np.ndarray
    text: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    face_frames: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    faces: list[np.ndarray] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.change)

    def frames(self, seconds: float, least: int = 1) -> int:
        """A duration as a number of frames, at least ``least``."""
        return max(least, round(seconds * self.frame_rate))
