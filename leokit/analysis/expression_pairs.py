"""Pairs of frames of one face in the same pose with different expressions: found by landmarks, or rendered."""

from typing import Callable

import numpy as np
import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from leokit.datasets.video_dataset import VideoDataset
from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS
from leokit.metrics.expressions import REGIONS, ExpressionPair, expression_pairs
from leokit.synthetic_faces import MOTION_NAMES, NEUTRAL_MOTION, SyntheticTruth
from leokit.utils import UserError
from leokit.utils.indices import evenly_spaced_indices
from leokit.utils.pixels import from_uint8
from leokit.video.video_entry import VideoEntry

MAX_FRAMES = 64  # of a video that are searched for pairs, evenly spaced
PARAMETERS = ('mouth_open', 'smile', 'blink', 'brow', 'gaze_x', 'gaze_y')  # that move parts of the face, not the head
PERCENTILES = (1, 99)  # of a parameter over the dataset; the two values of a synthetic pair

# Frames (K, 3, S, S) in [-1, 1], and by region or parameter the pairs of them, the two directions of a pair in a row.
FacePairs = tuple[Tensor, dict[str, list[ExpressionPair]]]
PairFinder = Callable[[VideoDataset, VideoEntry], FacePairs]


class LandmarkPairs:
    """Finds pairs of frames of a video in the same pose with different mouth or eyes.

    Args:
        landmarks (nn.Module): A feature extractor of 68 points, such as ``FaceLandmarks``.
        count (int): Maximum number of pairs of frames for mouth and for eyes, each in both directions.
    """

    def __init__(self, landmarks: nn.Module, count: int = 4) -> None:
        self.landmarks, self.count = landmarks, count

    def __call__(self, dataset: VideoDataset, video: VideoEntry) -> FacePairs:
        indices = np.array(evenly_spaced_indices(video.length, MAX_FRAMES))
        frames = from_uint8(torch.stack(list(dataset.store.read(video, video.first + indices))))
        points = rearrange(self.landmarks(frames), 'k (points xy) -> k points xy', points=NUM_LANDMARKS).double()
        return frames, {part: expression_pairs(points, part, self.count) for part in REGIONS}


class SyntheticPairs:
    """Renders identities of SyntheticFaces in pairs that differ in one parameter of the face only.

    The parameter changes between two percentiles of the dataset (:data:`PERCENTILES`), which counts as a change of 1.
    The other parameters of the face are neutral, and the pose is that of a frame of the video.

    Args:
        truth (SyntheticTruth): Ground-truth parameters of the videos.
        count (int): Number of poses taken from each video.
    """

    def __init__(self, truth: SyntheticTruth, count: int = 4) -> None:
        self.truth, self.count = truth, count
        self._columns = [MOTION_NAMES.index(name) for name in PARAMETERS]
        self._range = np.percentile(truth.motion[..., self._columns], PERCENTILES, axis=(0, 1))  # (2, parameters)

    def __call__(self, dataset: VideoDataset, video: VideoEntry) -> FacePairs:
        try:
            row = self.truth.index(video.name)
        except KeyError as error:
            raise UserError(f'there is no ground truth for the video {video.name!r}; pass the dataset that the config '
                            'reads') from error
        frames = from_uint8(self.truth.frames(row, self._motion(row), size=dataset.size, noise=False))
        pairs: dict[str, list[ExpressionPair]] = {name: [] for name in PARAMETERS}
        for low in range(0, len(frames), 2):
            name = PARAMETERS[low // 2 % len(PARAMETERS)]
            if not torch.equal(frames[low], frames[low + 1]):  # hair or head rotation may hide the change
                pairs[name] += [ExpressionPair(low, low + 1, 1.0, None), ExpressionPair(low + 1, low, -1.0, None)]
        return frames, pairs

    def _motion(self, row: int) -> np.ndarray:
        """Motion parameters, float32 (poses * parameters * 2, len(MOTION_NAMES))."""
        poses = self.truth.motion[row, evenly_spaced_indices(self.truth.motion.shape[1], self.count)].copy()
        poses[:, self._columns] = np.array(NEUTRAL_MOTION)[self._columns]
        motion = repeat(poses, 'poses k -> poses parameters ends k', parameters=len(PARAMETERS), ends=2).copy()
        for index, column in enumerate(self._columns):
            motion[:, index, :, column] = self._range[:, index]
        return rearrange(motion, 'poses parameters ends k -> (poses parameters ends) k')
