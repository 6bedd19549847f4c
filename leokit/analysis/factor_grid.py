"""The factor grid: every identity rendered in every motion (LEO, arXiv 2305.03989, section 4.4).

Identities are images or the first frames of videos. Motions are the codes of driving videos, or sequences that a motion
diffusion samples from one initial code. Each identity is encoded once and rendered as one long sequence; the rendered
frames are encoded again.
"""

from pathlib import Path
from typing import NamedTuple, Sequence

import torch
from einops import rearrange, repeat
from torch import Tensor

from leokit.inference.animation import check_transfer_mode
from leokit.inference.generation import VideoGenerator
from leokit.inference.rendering import CHUNK_SIZE, encode, render
from leokit.models import Animator
from leokit.motion_spaces import relative_motion
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError
from leokit.utils.indices import evenly_spaced_indices
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.utils.seeds import sample_seeds
from leokit.video import IMAGE_SUFFIXES, ImageInput, VideoEntry, VideoFilter, VideoIndex, iterate_frames, read_images
from leokit.video.manifest import find_manifest
from leokit.video.readers.base import DEFAULT_FPS

MIN_ITEMS = 2  # identities, motions and frames; fewer cannot be compared


class IdentityBatch(NamedTuple):
    """Source images of different identities."""

    names: list[str]
    images: Tensor  # (P, 3, S, S) in [-1, 1]


class MotionBatch(NamedTuple):
    """Motion sequences of equal length."""

    names: list[str]
    codes: Tensor  # (M, T, N)
    frames: Tensor | None  # uint8 (M, T, 3, S, S): the driving videos; None for generated motion
    identities: list[str]  # of the driving videos
    fps: float


class FactorGrid(NamedTuple):
    """Every identity in every motion."""

    identities: IdentityBatch
    motions: MotionBatch
    mode: str  # of TRANSFER_MODES
    frames: Tensor  # uint8 (P, M, T, 3, S, S)
    target_codes: Tensor  # (P, M, T, N): the codes that were rendered
    measured_codes: Tensor  # (P, M, T, N): the codes of the rendered frames


def read_identities(sources: Sequence[str | Path], size: int, count: int, *, split: str | None = None,
                    crop: str = 'center') -> IdentityBatch:
    """Read images of different identities.

    Args:
        sources (Sequence[str | Path]): Images; one folder of images, each of another identity; or one folder or
            manifest of videos, of which the first frame of each identity is taken.
        size (int): Resolution S of the animator.
        count (int): Maximum number of identities, evenly spaced over those available.
        split (str, optional): Split of the videos.
        crop (str): How images become square, ``Animator.crop``.

    Returns:
        IdentityBatch: At least two.
    """
    _check_count('identities', count)
    paths = _image_paths(sources)
    if paths:
        chosen = [paths[index] for index in evenly_spaced_indices(len(paths), count)]
        names, images = [path.stem for path in chosen], read_images(chosen, size, crop=crop)
    else:
        entries = _select_videos(_videos(sources, VideoFilter(split=split)), count, one_per_identity=True)
        names = [entry.identity for entry in entries]
        images = from_uint8(torch.cat([_first_frames(entry, size, 1, crop) for entry in entries]))
    if len(names) < MIN_ITEMS:
        raise UserError(f'{sources[0]} shows {len(names)} identity only; pass at least {MIN_ITEMS}, as images or in a '
                        'manifest that names identities')
    return IdentityBatch(names, images)


def read_motions(animator: Animator, sources: Sequence[str | Path], count: int, num_frames: int, *,
                 split: str | None = None, exclude: Sequence[str] = (), chunk_size: int = CHUNK_SIZE) -> MotionBatch:
    """Encode driving videos, of different identities where there are enough.

    Args:
        animator (Animator): In evaluation mode.
        sources (Sequence[str | Path]): Videos, folders or manifests of videos.
        count (int): Maximum number of motions, evenly spaced over those available.
        num_frames (int): Frames T of each, from its beginning; shorter videos are skipped.
        split (str, optional): Split of the videos.
        exclude (Sequence[str]): Identities to avoid if there are enough others, such as those to be animated.
        chunk_size (int): Frames per forward pass.

    Returns:
        MotionBatch: At least two, with the driving frames.
    """
    _check_count('motions', count)
    _check_frames(num_frames)
    entries = _videos(sources, VideoFilter(split=split, min_frames=num_frames))
    others = [entry for entry in entries if entry.identity not in set(exclude)]
    chosen = _select_videos(others if len(others) >= count else entries, count)
    if len(chosen) < MIN_ITEMS:
        raise UserError(f'{sources[0]} has {len(chosen)} video only with {num_frames} frames; pass at least '
                        f'{MIN_ITEMS} videos or a smaller number of frames')
    frames = torch.stack([_first_frames(entry, animator.size, num_frames, animator.crop)
                          for entry in chosen])  # (M, T, 3, S, S)
    codes = torch.cat([encode(animator, chunk).motion.float()
                       for chunk in rearrange(frames, 'm t c h w -> (m t) c h w').split(chunk_size)])
    return MotionBatch([entry.name for entry in chosen], rearrange(codes, '(m t) n -> m t n', m=len(chosen)), frames,
                       [entry.identity for entry in chosen], chosen[0].fps or DEFAULT_FPS)


def generate_motions(generator: VideoGenerator, image: ImageInput, count: int, num_frames: int, *,
                     seed: int = 0) -> MotionBatch:
    """Sample motions from one initial code.

    Args:
        generator (VideoGenerator): Animator and motion diffusion.
        image (ImageInput): Image whose code all motions start with.
        count (int): Number of motions, at least two.
        num_frames (int): Frames T of each, at least two.
        seed (int): Seed; motion k is sample k of this seed, whatever ``count``.

    Returns:
        MotionBatch: Without driving frames.
    """
    _check_count('motions', count)
    _check_frames(num_frames)
    animator = generator.animator
    start = encode(animator, read_images(image, animator.size, crop=animator.crop)).motion.expand(count, -1)
    noise = generators_from_seeds(sample_seeds(seed, range(count)))
    codes = torch.cat(list(generator.sample_motion(start, num_frames, noise)), dim=1)
    return MotionBatch([f'sample {number}' for number in range(count)], codes, None, [], DEFAULT_FPS)


def build_factor_grid(animator: Animator, identities: IdentityBatch, motions: MotionBatch, *, mode: str = 'relative',
                      chunk_size: int = CHUNK_SIZE) -> FactorGrid:
    """Render every identity in every motion, and encode the rendered frames.

    All frames are kept as bytes: P · M · T · 3 · S².

    Args:
        animator (Animator): In evaluation mode.
        identities (IdentityBatch): P identities.
        motions (MotionBatch): M motions of T frames.
        mode (str): ``'relative'`` adds the change since the first frame of a motion to each identity's own pose;
            ``'absolute'`` uses the codes of the motion.
        chunk_size (int): Frames per forward pass, over all identities.

    Returns:
        FactorGrid: On the CPU.
    """
    check_transfer_mode(mode)
    encoding = encode(animator, identities.images)
    p, m = len(identities.images), len(motions.codes)
    target = repeat(motions.codes.to(encoding.motion), 'm t n -> (p m) t n', p=p)
    if mode == 'relative':
        target = relative_motion(target, target[:, 0], repeat(encoding.motion, 'p n -> (p m) n', m=m))
    frames, measured = [], []
    # all motions of an identity are one sequence, so that an identity is encoded once
    for chunk in render(animator, encoding, rearrange(target, '(p m) t n -> p (m t) n', p=p), chunk_size=chunk_size):
        pixels = to_uint8(chunk)  # (P, t, 3, S, S); measured in the 8-bit frames that a viewer sees
        codes = encode(animator, rearrange(pixels, 'p t c h w -> (p t) c h w')).motion.float()
        measured.append(rearrange(codes, '(p t) n -> p t n', p=p).cpu())
        frames.append(pixels.cpu())
    return FactorGrid(
        identities, motions, mode, rearrange(torch.cat(frames, dim=1), 'p (m t) c h w -> p m t c h w', m=m),
        rearrange(target, '(p m) t n -> p m t n', p=p).float().cpu(),
        rearrange(torch.cat(measured, dim=1), 'p (m t) n -> p m t n', m=m))


# ---- selection ---------------------------------------------------------------
def _image_paths(sources: Sequence[str | Path]) -> list[Path]:
    """The images that ``sources`` names; empty if it names videos."""
    paths = [Path(source) for source in sources]
    if len(paths) == 1 and paths[0].is_dir() and find_manifest(paths[0]) is None:
        return sorted(path for path in paths[0].iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if all(path.suffix.lower() in IMAGE_SUFFIXES for path in paths):
        return paths
    if len(paths) > 1:
        raise UserError(f'identities are images, or one folder or manifest of videos; {paths[0]} and {len(paths) - 1} '
                        'more are neither')
    return []


def _videos(sources: Sequence[str | Path], video_filter: VideoFilter) -> list[VideoEntry]:
    return [entry for source in sources for entry in VideoIndex(source, video_filter)]


def _select_videos(entries: Sequence[VideoEntry], count: int, *, one_per_identity: bool = False) -> list[VideoEntry]:
    """Evenly spaced videos, one per identity; several per identity only where there are too few identities."""
    first = {entry.identity: entry for entry in reversed(entries)}
    if one_per_identity or len(first) >= count:
        entries = [entry for entry in entries if first[entry.identity] is entry]
    return [entries[index] for index in evenly_spaced_indices(len(entries), count)]


def _first_frames(entry: VideoEntry, size: int, count: int, crop: str) -> Tensor:
    """The first frames of a video, uint8 (count, 3, S, S)."""
    return torch.cat(list(iterate_frames(entry.path, size, chunk_size=CHUNK_SIZE, first=entry.first,
                                         last=entry.first + count, crop=crop)))


def _check_count(what: str, count: int) -> None:
    if count < MIN_ITEMS:
        raise UserError(f'{count} of the {what} cannot be compared; pass at least {MIN_ITEMS} {what}')


def _check_frames(num_frames: int) -> None:
    if num_frames < MIN_ITEMS:
        raise UserError(f'{num_frames} frame has no motion; pass at least {MIN_ITEMS} frames')
