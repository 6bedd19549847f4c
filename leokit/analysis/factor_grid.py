"""Every person in every motion (LEO, arXiv 2305.03989, section 4.4): what disentanglement is shown and measured on.

People are pictures, or the first frames of videos; motions are the codes of driving videos, or sequences that a motion
diffusion draws from one start. All P · M · T frames are rendered with each person encoded once, as one long sequence
for each person, and encoded again.
"""

from pathlib import Path
from typing import NamedTuple, Sequence

import torch
from torch import Tensor

from leokit.analysis.model_sheets import spread_indices
from leokit.inference.animation import check_transfer_mode
from leokit.inference.generation import VideoGenerator, sample_seeds
from leokit.inference.rendering import CHUNK_SIZE, encode, render
from leokit.models import Animator
from leokit.motion_spaces import relative_motion
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video import IMAGE_SUFFIXES, ImageInput, VideoEntry, VideoFilter, VideoIndex, iterate_frames, read_images
from leokit.video.manifest import find_manifest
from leokit.video.readers.base import DEFAULT_FPS

MIN_ITEMS = 2  # people, motions and frames: with one of them nothing can be told apart


class IdentityBatch(NamedTuple):
    """Who is shown."""

    names: list[str]
    images: Tensor  # (P, 3, S, S) in [-1, 1]


class MotionBatch(NamedTuple):
    """How they move."""

    names: list[str]
    codes: Tensor  # (M, T, N)
    frames: Tensor | None  # uint8 (M, T, 3, S, S): the driving videos, if there are any
    identities: list[str]  # who is seen in them
    fps: float


class FactorGrid(NamedTuple):
    """Every person in every motion."""

    identities: IdentityBatch
    motions: MotionBatch
    mode: str  # of TRANSFER_MODES
    frames: Tensor  # uint8 (P, M, T, 3, S, S)
    target_codes: Tensor  # (P, M, T, N): the codes that the frames were made of
    measured_codes: Tensor  # (P, M, T, N): the codes that the encoder reads from the frames


def read_identities(sources: Sequence[str | Path], size: int, count: int, *, split: str | None = None) -> IdentityBatch:
    """Pictures of different people.

    Args:
        sources (Sequence[str | Path]): Pictures; or one folder of pictures, each a person; or one folder or manifest
            of videos, whose people's first frames are taken.
        size (int): Side S of the animator.
        count (int): How many people at most, spread evenly over those there are.
        split (str, optional): Split of the videos.

    Returns:
        IdentityBatch: At least two.

    Raises:
        UserError: If there are fewer than two or one cannot be read.
    """
    _check_count('people', count)
    paths = _pictures(sources)
    if paths:
        chosen = [paths[index] for index in spread_indices(len(paths), count)]
        names, images = [path.stem for path in chosen], read_images(chosen, size)
    else:
        entries = _choose_videos(_videos(sources, VideoFilter(split=split)), count, one_each=True)
        names = [entry.identity for entry in entries]
        images = from_uint8(torch.cat([_frames(entry, size, 1) for entry in entries]))
    if len(names) < MIN_ITEMS:
        raise UserError(f'{sources[0]} shows {len(names)} person only; pass at least {MIN_ITEMS} people, in a manifest '
                        'that names identities or as pictures')
    return IdentityBatch(names, images)


def read_motions(animator: Animator, sources: Sequence[str | Path], count: int, num_frames: int, *,
                 split: str | None = None, exclude: Sequence[str] = (), chunk_size: int = CHUNK_SIZE) -> MotionBatch:
    """The motions of driving videos, of different people where there are enough.

    Args:
        animator (Animator): A trained animator in evaluation mode.
        sources (Sequence[str | Path]): Videos, folders or manifests of videos.
        count (int): How many motions at most, spread evenly over those there are.
        num_frames (int): Frames T of each, from its beginning; shorter videos are left out.
        split (str, optional): Split of the videos.
        exclude (Sequence[str]): Identities to pass over if there are enough others: those whom the motions are for.
        chunk_size (int): Frames per forward pass.

    Returns:
        MotionBatch: At least two, with the driving frames.

    Raises:
        UserError: If there are fewer than two or one cannot be read.
    """
    _check_count('motions', count)
    _check_frames(num_frames)
    entries = _videos(sources, VideoFilter(split=split, min_frames=num_frames))
    others = [entry for entry in entries if entry.identity not in set(exclude)]
    chosen = _choose_videos(others if len(others) >= count else entries, count)
    if len(chosen) < MIN_ITEMS:
        raise UserError(f'{sources[0]} holds {len(chosen)} video only that has {num_frames} frames; pass at least '
                        f'{MIN_ITEMS} videos or ask for fewer frames')
    frames = torch.stack([_frames(entry, animator.size, num_frames) for entry in chosen])  # (M, T, 3, S, S)
    codes = torch.cat([encode(animator, part).motion.float() for part in frames.flatten(0, 1).split(chunk_size)])
    return MotionBatch([entry.name for entry in chosen], codes.unflatten(0, frames.shape[:2]), frames,
                   [entry.identity for entry in chosen], chosen[0].fps or DEFAULT_FPS)


def generate_motions(generator: VideoGenerator, image: ImageInput, count: int, num_frames: int, *,
                     seed: int = 0) -> MotionBatch:
    """Motions that a motion diffusion draws from one start.

    Args:
        generator (VideoGenerator): The animator and the motion diffusion.
        image (ImageInput): The picture whose code all of them start with.
        count (int): How many motions.
        num_frames (int): Frames T of each.
        seed (int): Seed of the job; motion k is its sample number k.

    Returns:
        MotionBatch: Without driving frames.

    Raises:
        UserError: If there are fewer than two motions or frames, or the picture cannot be read.
    """
    _check_count('motions', count)
    _check_frames(num_frames)
    start = encode(generator.animator, read_images(image, generator.animator.size)).motion.expand(count, -1)
    noise = generators_from_seeds(sample_seeds(seed, range(count)))
    codes = torch.cat(list(generator.sample_motion(start, num_frames, noise)), dim=1)
    return MotionBatch([f'sample {number}' for number in range(count)], codes, None, [], DEFAULT_FPS)


def build_factor_grid(animator: Animator, identities: IdentityBatch, motions: MotionBatch, *, mode: str = 'relative',
          chunk_size: int = CHUNK_SIZE) -> FactorGrid:
    """Render every person in every motion, and read the codes of what was rendered.

    All frames are kept, as bytes: P · M · T · 3 · S².

    Args:
        animator (Animator): A trained animator in evaluation mode.
        identities (IdentityBatch): P people.
        motions (MotionBatch): M motions of T frames.
        mode (str): ``'relative'`` adds the motion since its first frame to each person's own pose; ``'absolute'``
            takes the poses themselves.
        chunk_size (int): Frames per forward pass, counted over the people.

    Returns:
        FactorGrid: On the CPU.

    Raises:
        UserError: If the mode is unknown.
    """
    check_transfer_mode(mode)
    encoding = encode(animator, identities.images)
    shape = (len(identities.images), *motions.codes.shape[:2])  # P, M, T
    asked = motions.codes.to(encoding.motion).expand(shape[0], -1, -1, -1).flatten(0, 1)  # (P * M, T, N)
    if mode == 'relative':
        asked = relative_motion(asked, asked[:, 0], encoding.motion.repeat_interleave(shape[1], dim=0))
    frames, found = [], []
    for chunk in render(animator, encoding, asked.unflatten(0, shape[:2]).flatten(1, 2), chunk_size=chunk_size):
        pixels = to_uint8(chunk)  # (P, t, 3, S, S); encoded as people see it
        found.append(encode(animator, pixels.flatten(0, 1)).motion.float().unflatten(0, pixels.shape[:2]).cpu())
        frames.append(pixels.cpu())
    return FactorGrid(identities, motions, mode, torch.cat(frames, dim=1).unflatten(1, shape[1:]),
                    asked.unflatten(0, shape[:2]).float().cpu(), torch.cat(found, dim=1).unflatten(1, shape[1:]))


# ---- choosing ----------------------------------------------------------------
def _pictures(sources: Sequence[str | Path]) -> list[Path]:
    """The pictures that are meant; none if videos are."""
    paths = [Path(source) for source in sources]
    if len(paths) == 1 and paths[0].is_dir() and find_manifest(paths[0]) is None:
        return sorted(path for path in paths[0].iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if all(path.suffix.lower() in IMAGE_SUFFIXES for path in paths):
        return paths
    if len(paths) > 1:
        raise UserError(f'people are pictures, or one folder or manifest of videos; {paths[0]} and {len(paths) - 1} '
                        'more are neither')
    return []


def _videos(sources: Sequence[str | Path], wanted: VideoFilter) -> list[VideoEntry]:
    return [entry for source in sources for entry in VideoIndex(source, wanted)]


def _choose_videos(entries: Sequence[VideoEntry], count: int, *, one_each: bool = False) -> list[VideoEntry]:
    """Videos spread evenly, one of each person; several of a person only where there are too few people."""
    first = {entry.identity: entry for entry in reversed(entries)}
    spread = one_each or len(first) >= count
    pool = [entry for entry in entries if first[entry.identity] is entry] if spread else entries
    return [pool[index] for index in spread_indices(len(pool), count)]


def _frames(entry: VideoEntry, size: int, count: int) -> Tensor:
    """The first frames of a video, uint8 (count, 3, S, S)."""
    return torch.cat(list(iterate_frames(entry.path, size, chunk_size=CHUNK_SIZE, first=entry.first,
                                         last=entry.first + count)))


def _check_count(what: str, count: int) -> None:
    if count < MIN_ITEMS:
        raise UserError(f'with {count} of the {what} nothing can be told apart; ask for at least {MIN_ITEMS} {what}')


def _check_frames(num_frames: int) -> None:
    if num_frames < MIN_ITEMS:
        raise UserError(f'{num_frames} frame has no motion; ask for at least {MIN_ITEMS} frames')
