"""Features of all clips of a set, extracted or read from a cache."""

import hashlib
from pathlib import Path
from typing import NamedTuple, Sequence

import numpy as np
import torch
from mmengine.dist import all_gather_object, broadcast_object_list, gather_object, get_rank, get_world_size, \
    is_main_process
from torch import Tensor

from leokit.evaluation.clip_loader import ClipLoader, batch_indices
from leokit.evaluation.clip_preprocessing import prepare_clips
from leokit.evaluation.clip_sampling import Clip
from leokit.evaluation.feature_files import read_features, write_features
from leokit.evaluation.protocol import Protocol
from leokit.evaluation.reductions import FeatureRequest, reduce_clips
from leokit.evaluation.video_set import VideoSet
from leokit.feature_extractors.base import full_precision
from leokit.utils import progress_bar

CACHE_VERSION = 3  # increase when a reduction or the preparation of frames changes


class ClipFeatures(NamedTuple):
    """Features of the clips of a set.

    Attributes:
        arrays (dict): For the key of each request an array (clips, ...), NaN for clips that failed. None on all
            processes but the first.
        failures (dict): Reason by index of the clips that could not be decoded; the same on every process.
    """

    arrays: dict[str, Tensor] | None
    failures: dict[int, str]


def clip_features(videos: VideoSet, clips: Sequence[Clip], protocol: Protocol, requests: list[FeatureRequest], *,
                  device: str | torch.device = 'cpu', workers: int = 2, cache_dir: str | Path | None = None,
                  label: str = 'clips') -> ClipFeatures:
    """Features of clips, from the cache as far as it has them.

    Args:
        videos (VideoSet): The videos.
        clips (Sequence[Clip]): Clips of the videos.
        protocol (Protocol): Defines how clips are prepared.
        requests (list[FeatureRequest]): The features.
        device (str | torch.device): Device of the networks.
        workers (int): Decoding threads.
        cache_dir (str | Path, optional): Folder of cached features; None neither reads nor writes a cache.
        label (str): Label of the progress bar.

    Returns:
        ClipFeatures: The same values for any number of processes.
    """
    paths = {request.key: cache_path(cache_dir, videos, clips, protocol, request) for request in requests} \
        if cache_dir is not None else {}
    found = {key: read_features(path) for key, path in paths.items()} if is_main_process() else {}
    cached = {key: features for key, features in found.items() if features is not None}
    available = [set(cached)]
    broadcast_object_list(available)  # the other processes need only the keys
    missing = [request for request in requests if request.key not in available[0]]
    if not missing:
        return ClipFeatures(cached if is_main_process() else None, {})
    fresh = extract(videos, clips, protocol, missing, device=torch.device(device), workers=workers, label=label)
    if not is_main_process():
        return fresh
    if not fresh.failures:  # a clip that failed once may be readable later
        for request in missing:
            if request.key in paths:
                write_features(paths[request.key], fresh.arrays[request.key])
    return ClipFeatures({**cached, **fresh.arrays}, fresh.failures)


def extract(videos: VideoSet, clips: Sequence[Clip], protocol: Protocol, requests: list[FeatureRequest], *,
            device: torch.device, workers: int, label: str) -> ClipFeatures:
    """Decode, resize and describe clips; arguments as in :func:`clip_features`.

    Decoding threads run ahead of the networks. Results stay on the device until the end, so the device never waits for
    a copy to the host.
    """
    batches = batch_indices(len(clips), protocol.clips.length, get_rank(), get_world_size())
    loader = ClipLoader(videos, clips, protocol=protocol, batches=batches, workers=workers)
    for request in requests:
        request.extractor.to(device)
    indices, results, failures = [], [], {}
    total = sum(map(len, batches))
    with full_precision(device), progress_bar(total, label, unit='clip', show=is_main_process()) as bar:
        for batch in loader:
            failures.update(batch.failures)
            if batch.clips:
                indices.append(batch.indices)
                results.append(reduce_clips(requests, prepare_clips(batch.clips, protocol.frames, device)))
            bar.update(len(batch.indices) + len(batch.failures))
    local = {request.key: torch.cat([part[request.key] for part in results]).cpu() if results else None
             for request in requests}
    share = (np.concatenate(indices) if indices else None, local)
    failures = {index: reason for part in all_gather_object(failures) for index, reason in part.items()}
    shares = gather_object(share)
    return ClipFeatures(_assemble(shares, len(clips)) if is_main_process() else None, dict(sorted(failures.items())))


def cache_path(folder: str | Path, videos: VideoSet, clips: Sequence[Clip], protocol: Protocol,
               request: FeatureRequest) -> Path:
    """File of a cached feature, named by a hash of everything that the values depend on.

    These are the contents of the videos, how they are read, the frames of the clips, the preparation of frames, and
    weights and options of the network. Names of folders and times of files do not matter, so a moved or copied set is
    recognized.
    """
    settings = CACHE_VERSION, videos.reader.signature(), protocol.frames, request.extractor.fingerprint()
    digest = hashlib.sha256('\n'.join(map(str, settings)).encode())
    for clip in clips:
        entry = videos.entries[clip.video]
        digest.update(f'{entry.sha256} '.encode() + entry.frame_numbers(protocol.clips, clip.start).tobytes())
    return Path(folder) / f'{request.key}-{digest.hexdigest()[:32]}.pt'


def _assemble(shares: list[tuple[np.ndarray | None, dict[str, Tensor | None]]], number: int) -> dict[str, Tensor]:
    """Combine the shares of all processes in the order of the clips."""
    arrays = {}
    for key in shares[0][1]:
        parts = [(indices, part[key]) for indices, part in shares if part[key] is not None]
        if not parts:
            arrays[key] = torch.full((number, 1), torch.nan)
            continue
        example = parts[0][1]
        arrays[key] = example.new_full((number, *example.shape[1:]), torch.nan)
        for indices, values in parts:
            arrays[key][torch.from_numpy(indices)] = values
    return arrays
