"""Pairs of pictures of one face whose pose agrees and whose expression does not: found by landmarks, or drawn."""

from typing import Callable

import numpy as np
import torch
from torch import Tensor, nn

from leokit.analysis.model_sheets import spread_indices
from leokit.datasets.video_dataset import VideoDataset
from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS
from leokit.metrics.expressions import PARTS, ExpressionPair, expression_pairs
from leokit.synthetic_faces import MOTION_NAMES, NEUTRAL_MOTION, SyntheticTruth, render_faces
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8
from leokit.video.video_entry import VideoEntry

MAX_FRAMES = 64  # of a video in which pairs are sought, evenly spread
PARAMETERS = ('mouth_open', 'smile', 'blink', 'brow', 'gaze_x', 'gaze_y')  # what moves in a face when the head is still
PERCENTILES = (1, 99)  # percentiles of a parameter between which it is changed

# Frames (K, 3, S, S) in [-1, 1], and by region or parameter the pairs among them, both directions of a pair in a row.
FacePairs = tuple[Tensor, dict[str, list[ExpressionPair]]]
PairFinder = Callable[[VideoDataset, VideoEntry], FacePairs]


class LandmarkPairs:
    """Finds frames of a video whose pose agrees while mouth or eyes differ.

    Args:
        landmarks (nn.Module): A feature extractor of 68 points, such as ``FaceLandmarks``.
        count (int): At most so many pairs of frames for mouth and for eyes, each in both directions.
    """

    def __init__(self, landmarks: nn.Module, count: int = 4) -> None:
        self.landmarks, self.count = landmarks, count

    def __call__(self, dataset: VideoDataset, video: VideoEntry) -> FacePairs:
        """Frames of a video, evenly spread, and the pairs among them."""
        places = np.array(spread_indices(video.length, MAX_FRAMES))
        frames = from_uint8(torch.stack(list(dataset.store.read(video, video.first + places))))
        points = self.landmarks(frames).unflatten(1, (NUM_LANDMARKS, 2)).double()
        return frames, {part: expression_pairs(points, part, self.count) for part in PARTS}


class SyntheticPairs:
    """Draws people of SyntheticFaces in pairs between which one parameter of the face changes and nothing else.

    The parameter goes from the lowest to the highest value that occurs (:data:`PERCENTILES`, as a change of 1), the
    others of the face are neutral, and the pose is that of a frame of the video. So the true change is known exactly.

    Args:
        truth (SyntheticTruth): Looks and motion of the videos.
        count (int): So many frames of each video lend their pose.
    """

    def __init__(self, truth: SyntheticTruth, count: int = 4) -> None:
        self.truth, self.count = truth, count
        self._columns = [MOTION_NAMES.index(name) for name in PARAMETERS]
        self._ends = np.percentile(truth.motion[..., self._columns], PERCENTILES, axis=(0, 1))  # (2, parameters)

    def __call__(self, dataset: VideoDataset, video: VideoEntry) -> FacePairs:
        """Drawn frames, and for each parameter the pairs among them.

        Raises:
            UserError: If the truth does not know the video.
        """
        try:
            row = self.truth.index(video.name)
        except KeyError as error:
            raise UserError(f'the truth does not know the video {video.name!r}; pass the data set that the config '
                            'reads') from error
        looks, moves = torch.from_numpy(self.truth.looks[row:row + 1]), torch.from_numpy(self._moves(row))
        frames = from_uint8(render_faces(looks, moves.flatten(0, 2), size=dataset.size))
        pairs: dict[str, list[ExpressionPair]] = {name: [] for name in PARAMETERS}
        for low, name in zip(range(0, len(frames), 2), PARAMETERS * len(moves)):
            if not torch.equal(frames[low], frames[low + 1]):  # hair or the turn of the head may hide it
                pairs[name] += [ExpressionPair(low, low + 1, 1.0, None), ExpressionPair(low + 1, low, -1.0, None)]
        return frames, pairs

    def _moves(self, row: int) -> np.ndarray:
        """Motion parameters, float32 (poses, parameters, 2, len(MOTION_NAMES))."""
        poses = self.truth.motion[row, spread_indices(self.truth.motion.shape[1], self.count)].copy()
        poses[:, self._columns] = np.array(NEUTRAL_MOTION)[self._columns]
        moves = np.tile(poses[:, None, None], (1, len(PARAMETERS), 2, 1))
        for place, column in enumerate(self._columns):
            moves[:, place, :, column] = self._ends[:, place]
        return moves
