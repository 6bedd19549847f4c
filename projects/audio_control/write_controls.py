"""Write log-mel features of the sound of every video of a dataset as its control.

    python -m projects.audio_control.write_controls data/synthetic_faces_128 --out data/synthetic_faces_128_sound.npz

``--from-truth`` computes the features of SyntheticFaces from the voices themselves, without videos.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from leokit.datasets import save_controls
from leokit.synthetic_faces import load_truth
from leokit.utils import progress_bar
from leokit.video import open_video
from leokit.video.video_list import find_videos
from projects.audio_control.log_mel import BANDS, log_mel, read_sound
from projects.audio_control.sound_track import voice_of

CHANNELS = [f'mel_{band:02d}' for band in range(BANDS)]


def write_sound_controls(dataset: str | Path, out: str | Path) -> int:
    """Write the features of every frame of every video; return the number of videos."""
    features = {}
    videos = find_videos(dataset)
    with progress_bar(len(videos), 'reading sound', unit='video') as bar:
        for entry in videos:
            with open_video(entry.path) as video:
                frames, fps = len(video), video.fps
            features[entry.name] = log_mel(read_sound(entry.path), fps, frames).numpy()
            bar.update(1)
    save_controls(out, features, channels=CHANNELS)
    return len(features)


def write_true_controls(dataset: str | Path, out: str | Path, fps: float = 25.0) -> int:
    """Write the features of the voices that the ground truth of a dataset gives; return the number of videos."""
    truth = load_truth(dataset)
    features: dict[str, np.ndarray] = {}
    with progress_bar(len(truth.names), 'synthesizing sound', unit='video') as bar:
        for name, motion in zip(truth.names, truth.motion):
            samples = torch.from_numpy(voice_of(truth, name, fps))
            features[name] = log_mel(samples, fps, len(motion)).numpy()
            bar.update(1)
    save_controls(out, features, channels=CHANNELS)
    return len(features)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('dataset')
    parser.add_argument('--out', required=True)
    parser.add_argument('--from-truth', action='store_true', help='synthesize the voices instead of reading videos')
    args = parser.parse_args()
    write = write_true_controls if args.from_truth else write_sound_controls
    print(f'{args.out}: sound of {write(args.dataset, args.out)} videos')
