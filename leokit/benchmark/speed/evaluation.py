"""Speed of the evaluation: the distances between feature sets, and the pipeline from videos to features."""

import statistics
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor, nn

from leokit.evaluation import FeatureRequest, Protocol, VideoSet, plan_trials
from leokit.evaluation.clip_loader import ClipLoader, batch_indices
from leokit.evaluation.clip_preprocessing import prepare_clips
from leokit.evaluation.feature_extraction import extract
from leokit.evaluation.reductions import reduce_clips
from leokit.feature_extractors.base import full_precision
from leokit.feature_extractors.i3d import preprocess
from leokit.feature_extractors.i3d_network import I3DNetwork
from leokit.metrics import frechet_distance, kernel_distance, polynomial_mmd
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils.thread_map import thread_map, worker_count
from leokit.utils.timing import measure

UNTRAINED_I3D = 'i3d-untrained'


class UntrainedI3D(nn.Module):
    """I3D with random weights: for timing where the weights are missing."""

    kind, dim, label = 'video', 400, UNTRAINED_I3D

    def __init__(self) -> None:
        super().__init__()
        self.network = I3DNetwork(1e-5).eval().requires_grad_(False)
        self.network.fold_batch_norm()

    def forward(self, videos: Tensor) -> Tensor:
        """Features (B, 400) of videos (B, T, 3, H, W)."""
        return self.network(preprocess(videos))

    def fingerprint(self) -> str:
        """A constant: nothing about these features is worth caching."""
        return UNTRAINED_I3D


def bench_distances(num_samples: int, dim: int, *, repeats: int, scipy: bool = True) -> None:
    """Time the Fréchet and kernel distances of random features, and ``scipy.linalg.sqrtm`` for comparison.

    Args:
        num_samples (int): Features of each set.
        dim (int): Length of a feature.
        repeats (int): Timed runs.
        scipy (bool): Include the Fréchet distance by scipy's matrix square root.
    """
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(dim, dim, generator=generator) / dim**0.5
    real, fake = (torch.randn(num_samples, dim, generator=generator) @ mixing for _ in range(2))
    fake = 1.1 * fake + 0.1
    few = (fake[:dim // 2], real[:dim // 2])  # fewer samples than dimensions: singular covariances
    runs = {
        'Fréchet': lambda: frechet_distance(fake, real),
        'kernel, all samples': lambda: polynomial_mmd(fake, real),
        'kernel, 100 subsets of 1000': lambda: kernel_distance(fake, real).value,
        'singular': lambda: frechet_distance(*few)}
    if scipy:
        runs['Fréchet, scipy.linalg.sqrtm'] = lambda: _frechet_by_sqrtm(fake, real)
        runs['singular, scipy.linalg.sqrtm'] = lambda: _frechet_by_sqrtm(*few)
    print(f'distances of {num_samples} x {dim} features, {torch.get_num_threads()} threads')
    for name, run in runs.items():
        seconds = measure(run, 'cpu', repeats=repeats, warmup=1).median
        print(f'  {name:<28} {1000 * seconds:9.1f} ms   value {run():.10g}')


def bench_pipeline(videos: VideoSet, protocol: Protocol, extractor_name: str, device: torch.device, *, workers: int,
                   repeats: int) -> None:
    """Time the decoder alone, the network alone (with upload and resize) and both together.

    Args:
        videos (VideoSet): The videos.
        protocol (Protocol): Its ``sampling.num_clips`` clips are used.
        extractor_name (str): Type of a feature extractor, or :data:`UNTRAINED_I3D`.
        device (torch.device): Where the network runs.
        workers (int): Decoding threads.
        repeats (int): Timed rounds.
    """
    untrained = extractor_name == UNTRAINED_I3D
    extractor = UntrainedI3D() if untrained else FEATURE_EXTRACTORS.build(dict(type=extractor_name))
    requests = [FeatureRequest(extractor.to(device), 'clip')]
    clips = plan_trials(videos.num_windows(protocol), protocol, 'real')[0]
    batches = batch_indices(len(clips), protocol.clips.length)
    loader = ClipLoader(videos, clips, protocol=protocol, batches=batches, workers=workers)
    decoded = next(iter(loader)).clips

    def decode() -> None:
        for _ in loader:
            pass

    def extract_features() -> None:
        with full_precision(device):
            for _ in batches:
                reduce_clips(requests, prepare_clips(decoded, protocol.frames, device))

    def both() -> None:
        extract(videos, clips, protocol, requests, device=device, workers=workers, label='pipeline')

    runs = dict(decoder=decode, network=extract_features, pipeline=both)
    counts = dict(decoder=len(clips), network=len(decoded) * len(batches), pipeline=len(clips))
    # in turn, so that a temporary slowdown of the machine affects all three
    rounds = [{name: counts[name] / measure(run, device, repeats=1, warmup=int(first)).median
               for name, run in runs.items()} for first in [True] + [False] * (repeats - 1)]
    rates = {name: statistics.median(rates[name] for rates in rounds) for name in runs}
    shares = [rates['pipeline'] / min(rates['decoder'], rates['network']) for rates in rounds]
    print(f'pipeline: {len(clips)} clips of {protocol.clips.length} frames, {extractor.label}, {device}, '
          f'{workers} decoding threads, {torch.get_num_threads()} network threads')
    for name, rate in rates.items():
        print(f'  {name:<9} {rate:8.2f} clips/s   {rate * protocol.clips.length:9.1f} frames/s')
    print(f'  pipeline / slower of the two: {statistics.median(shares):.2f}  [{min(shares):.2f}, {max(shares):.2f}]')


def write_test_videos(folder: Path, count: int = 8, num_frames: int = 96, size: int = 256) -> None:
    """Write H.264 files of a moving texture, with about the bit rate of talking heads."""
    cells = size // 8 + 16

    def write(video: int) -> None:
        random = np.random.default_rng(video)
        texture = random.integers(0, 255, (cells, cells, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        with av.open(str(folder / f'{video:02d}.mp4'), 'w') as container:
            stream = container.add_stream('libx264', rate=25)
            stream.width = stream.height = size
            stream.pix_fmt = 'yuv420p'
            for frame in range(num_frames):
                x, y = (int(64 + 60 * wave) for wave in (np.sin(frame / 9 + video), np.cos(frame / 13)))
                window = np.ascontiguousarray(texture[y:y + size, x:x + size])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(window)))
            container.mux(stream.encode())

    for _ in thread_map(write, range(count), worker_count()):
        pass


def _frechet_by_sqrtm(a: Tensor, b: Tensor) -> float:
    """The Fréchet distance as other implementations compute it."""
    import scipy.linalg  # slow to import, and only needed here
    a, b = a.double(), b.double()
    covariances = a.T.cov(correction=0), b.T.cov(correction=0)
    root = scipy.linalg.sqrtm(covariances[0].numpy() @ covariances[1].numpy())
    terms = (a.mean(0) - b.mean(0)).square().sum() + covariances[0].trace() + covariances[1].trace()
    return float(terms - 2 * np.real(np.trace(root)))
