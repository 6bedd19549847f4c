"""Speed and accuracy of the evaluation on the machine at hand.

    python tools/analysis_tools/benchmark_metrics.py --sections arithmetic
    python tools/analysis_tools/benchmark_metrics.py --videos clips/ --extractor EfficientNetLite0Features
    python tools/analysis_tools/benchmark_metrics.py --device cuda --workers 12 --extractor i3d-untrained

"arithmetic" times the Fréchet and kernel distances of 2,048 features of 400 dimensions, beside
``scipy.linalg.sqrtm``, with the values of both. "pipeline" measures the decoder alone, the network alone (with upload
and resize) and both together; the last should reach 90 % of the slower of the first two.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from leokit.evaluation import (
    Clip, FeatureRequest, Protocol, ReadOptions, VideoSet, load_protocol, plan_trials, scan_videos)
from leokit.evaluation.clip_loader import ClipLoader, batch_places  # noqa: E402
from leokit.evaluation.features import extract  # noqa: E402
from leokit.evaluation.clip_preprocessing import prepare_clips  # noqa: E402
from leokit.evaluation.reductions import reduce_clips  # noqa: E402
from leokit.registry import FEATURE_EXTRACTORS  # noqa: E402
from leokit.feature_extractors.base import full_precision  # noqa: E402
from leokit.metrics import frechet_distance, kernel_distance, polynomial_mmd  # noqa: E402
from leokit.utils import UserError, run_tool  # noqa: E402
from leokit.utils.timing import measure  # noqa: E402

SECTIONS = ('arithmetic', 'pipeline')
UNTRAINED_I3D = 'i3d-untrained'  # the network of FVD for timing where its weights are not at hand


class UntrainedI3D(nn.Module):
    """I3D with random weights: same speed, meaningless features."""

    kind, dim, label = 'video', 400, UNTRAINED_I3D

    def __init__(self) -> None:
        super().__init__()
        from leokit.feature_extractors.i3d_network import I3DNetwork
        self.network = I3DNetwork(1e-5).eval().requires_grad_(False)
        self.network.fold_batch_norm()

    def forward(self, videos: Tensor) -> Tensor:
        """Features (B, 400) of videos (B, T, 3, H, W)."""
        from leokit.feature_extractors.i3d import preprocess
        return self.network(preprocess(videos))

    def fingerprint(self) -> str:
        """There is nothing to tell apart."""
        return UNTRAINED_I3D


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--sections', nargs='+', choices=SECTIONS, default=list(SECTIONS))
    add('--samples', type=int, default=2048, help='features of each set')
    add('--dim', type=int, default=400, help='length of a feature')
    add('--skip-scipy', action='store_true', help='leave scipy.linalg.sqrtm out')
    add('--videos', help='folder of videos; by default some are made')
    add('--clips', type=int, default=64, help='clips through the pipeline')
    add('--protocol', default='quick')
    add('--extractor', default='EfficientNetLite0Features', help=f'an extractor type, or {UNTRAINED_I3D}')
    add('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    add('--workers', type=int, default=1, help='decoding threads')
    add('--threads', type=int, default=1, help="the network's threads on the CPU")
    add('--repeats', type=int, default=3)
    return parser.parse_args()


def bench_arithmetic(arguments: argparse.Namespace) -> None:
    """Time the distances, beside the matrix square root that others take."""
    import scipy.linalg
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(arguments.dim, arguments.dim, generator=generator) / arguments.dim**0.5
    real, fake = (torch.randn(arguments.samples, arguments.dim, generator=generator) @ mixing for _ in range(2))
    fake = 1.1 * fake + 0.1
    few = (fake[:arguments.dim // 2], real[:arguments.dim // 2])  # fewer samples than dimensions: singular covariances

    def by_sqrtm(a: Tensor, b: Tensor) -> float:
        a, b = a.double(), b.double()
        covariances = a.T.cov(correction=0), b.T.cov(correction=0)
        root = scipy.linalg.sqrtm(covariances[0].numpy() @ covariances[1].numpy())
        terms = (a.mean(0) - b.mean(0)).square().sum() + covariances[0].trace() + covariances[1].trace()
        return float(terms - 2 * np.real(np.trace(root)))

    runs = {
        'Fréchet': lambda: frechet_distance(fake, real),
        'kernel, all samples': lambda: polynomial_mmd(fake, real),
        'kernel, 100 subsets of 1000': lambda: kernel_distance(fake, real).value}
    if not arguments.skip_scipy:
        runs['Fréchet, scipy.linalg.sqrtm'] = lambda: by_sqrtm(fake, real)
    runs['singular'] = lambda: frechet_distance(*few)
    if not arguments.skip_scipy:
        runs['singular, scipy.linalg.sqrtm'] = lambda: by_sqrtm(*few)
    print(f'arithmetic of {arguments.samples} x {arguments.dim}, {torch.get_num_threads()} threads')
    for name, run in runs.items():
        seconds = measure(run, 'cpu', repeats=arguments.repeats, warmup=1).median
        print(f'  {name:<28} {1000 * seconds:9.1f} ms   value {run():.10g}')


def make_videos(folder: Path, number: int = 8, frames: int = 96, side: int = 256) -> None:
    """Write H.264 files of a moving texture, with about the bit rate of talking heads."""
    import av
    random = np.random.default_rng(0)
    for video in range(number):
        texture = random.integers(0, 255, (side // 8 + 16, side // 8 + 16, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        with av.open(str(folder / f'{video:02d}.mp4'), 'w') as container:
            stream = container.add_stream('libx264', rate=25)
            stream.width = stream.height = side
            stream.pix_fmt = 'yuv420p'
            for frame in range(frames):
                x, y = (int(64 + 60 * wave) for wave in (np.sin(frame / 9 + video), np.cos(frame / 13)))
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(texture[y:y + side, x:x + side]))
                container.mux(stream.encode(picture))
            container.mux(stream.encode())


def bench_pipeline(arguments: argparse.Namespace, videos: VideoSet, protocol: Protocol) -> None:
    """Measure decoder, network and both together."""
    device = torch.device(arguments.device)
    kind = arguments.extractor
    extractor = UntrainedI3D() if kind == UNTRAINED_I3D else FEATURE_EXTRACTORS.build(dict(type=kind))
    requests = [FeatureRequest(extractor.to(device), 'clip')]
    clips: list[Clip] = plan_trials(videos.windows(protocol), protocol, 'real')[0]
    batches = batch_places(len(clips), protocol.clips.length)
    loader = ClipLoader(videos, clips, protocol=protocol, batches=batches, workers=arguments.workers)

    def decode() -> None:
        for _ in loader:
            pass

    decoded = next(iter(loader)).clips

    def describe() -> None:
        with full_precision(device):
            for _ in batches:
                reduce_clips(requests, prepare_clips(decoded, protocol.frames, device))

    def both() -> None:
        extract(videos, clips, protocol, requests, device=device, workers=arguments.workers, label='pipeline')

    runs = dict(decoder=decode, network=describe, pipeline=both)
    counts = dict(decoder=len(clips), network=len(decoded) * len(batches), pipeline=len(clips))
    # in turn, so that a machine that is slower for a while is slower for all three
    rounds = [{name: counts[name] / measure(run, device, repeats=1, warmup=int(first)).median
               for name, run in runs.items()} for first in [True] + [False] * (arguments.repeats - 1)]
    rates = {name: statistics.median(rates[name] for rates in rounds) for name in runs}
    shares = [rates['pipeline'] / min(rates['decoder'], rates['network']) for rates in rounds]
    print(f'pipeline: {len(clips)} clips of {protocol.clips.length} frames, {extractor.label}, {device}, '
          f'{arguments.workers} decoding threads, {torch.get_num_threads()} network threads')
    for name, rate in rates.items():
        print(f'  {name:<9} {rate:8.2f} clips/s   {rate * protocol.clips.length:9.1f} frames/s')
    print(f'  pipeline / slower of the two: {statistics.median(shares):.2f}  [{min(shares):.2f}, {max(shares):.2f}]')


def main() -> None:
    """Run the sections asked for."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    if arguments.repeats < 1 or arguments.clips < 2:
        raise UserError('--repeats must be at least 1 and --clips at least 2')
    if 'arithmetic' in arguments.sections:
        bench_arithmetic(arguments)
    if 'pipeline' in arguments.sections:
        protocol = load_protocol(arguments.protocol).changed(
            {'sampling.num_clips': arguments.clips, 'sampling.fewer': 'both'})
        with tempfile.TemporaryDirectory() as folder:
            if arguments.videos is None:
                make_videos(Path(folder))
            videos = scan_videos(arguments.videos or folder, protocol, options=ReadOptions(workers=arguments.workers))
            bench_pipeline(arguments, videos, protocol)


if __name__ == '__main__':
    run_tool(main)
