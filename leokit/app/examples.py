"""The examples of the page: drawn faces, no real people."""

from dataclasses import dataclass
from pathlib import Path

import torch
from einops import rearrange

from leokit.synthetic_faces import render_faces, sample_identities, sample_motion
from leokit.video import VideoWriter
from leokit.visualization import save_png

SIZE = 256  # larger than most models' input: the page shows the files as they are
NUM_FRAMES = 48
FPS = 25.0
IDENTITIES = (7, 21, 42, 63)  # of seed 0
SEED = 0


@dataclass(frozen=True)
class Examples:
    """Paths of the examples.

    Attributes:
        portraits (tuple[Path, ...]): Images of different identities.
        clips (tuple[Path, ...]): Videos of further ones: one talks, one nods.
    """

    portraits: tuple[Path, ...]
    clips: tuple[Path, ...]


def draw_examples(folder: Path, size: int = SIZE) -> Examples:
    """Draw two portraits and two clips into a folder; takes a few seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    portraits = []
    for number, identity in enumerate(IDENTITIES[:2]):
        motion = torch.from_numpy(sample_motion(1, seed=(SEED, identity))[0])
        image = render_faces(_appearance(identity), motion, size=size)[0]
        portraits.append(folder / f'portrait_{number + 1}.png')
        save_png(portraits[-1], rearrange(image, 'c h w -> h w c').numpy())
    clips = []
    for behavior, identity in zip(('talking', 'nodding'), IDENTITIES[2:]):
        motion = torch.from_numpy(sample_motion(NUM_FRAMES, seed=(SEED, identity), behavior=behavior, fps=FPS)[0])
        clips.append(folder / f'{behavior}.mp4')
        with VideoWriter(clips[-1], FPS) as writer:
            for piece in motion.split(16):
                frames = render_faces(_appearance(identity), piece, size=size)
                writer.write(rearrange(frames, 't c h w -> t h w c').numpy())
    return Examples(tuple(portraits), tuple(clips))


def _appearance(identity: int) -> torch.Tensor:
    return torch.from_numpy(sample_identities([identity], SEED))
