"""Features of all clips of a set: decoded, resized and described in one overlapping pass, or taken from the cache."""

import hashlib
from pathlib import Path
from typing import NamedTuple, Sequence

import numpy as np
import torch
from mmengine.dist import all_gather_object, broadcast_object_list, gather_object, get_rank, get_world_size, \
    is_main_process
from torch import Tensor

from leokit.evaluation.clip_loader import ClipLoader, batch_places
from leokit.evaluation.clip_preprocessing import prepare_clips
from leokit.evaluation.clip_sampling import Clip, frame_numbers
from leokit.evaluation.protocol import Protocol
from leokit.evaluation.reductions import FeatureRequest, reduce_clips
from leokit.evaluation.video_set import VideoSet
from leokit.feature_extractors.base import full_precision
from leokit.utils import progress_bar
from leokit.utils.files import atomic_path, clear_write_errors

CACHE_VERSION = 2  # raise when a reduction or the preparation of frames changes


class ClipFeatures(NamedTuple):
    """Features of the clips of a set.

    Attributes:
        arrays (dict): For each request's key an array (clips, ...), NaN for clips that failed; None on all processes
            but the first.
        failures (dict): Clips that could not be decoded, with the reason; the same on every process.
    """

    arrays: dict[str, Tensor] | None
    failures: dict[int, str]


def clip_features(videos: VideoSet, clips: Sequence[Clip], protocol: Protocol, requests: list[FeatureRequest], *,
                  device: str | torch.device = 'cpu', workers: int = 2, cache_dir: str | Path | None = None,
                  label: str = 'clips') -> ClipFeatures:
    """Features of clips, from the cache where it has them.

    Args:
        videos (VideoSet): The set.
        clips (Sequence[Clip]): Its clips.
        protocol (Protocol): How clips are prepared.
        requests (list[FeatureRequest]): What is asked for.
        device (str | torch.device): Where the networks run.
        workers (int): Decoding threads.
        cache_dir (str | Path, optional): Folder of cached features; None neither reads nor writes any.
        label (str): For the progress bar.

    Returns:
        ClipFeatures: The same numbers for any number of processes.
    """
    paths = {request.key: cache_path(cache_dir, videos, clips, protocol, request) for request in requests} \
        if cache_dir is not None else {}
    cached = _read_cache(paths) if is_main_process() else {}
    have = [set(cached)]
    broadcast_object_list(have)  # its arrays are needed on the first process only
    missing = [request for request in requests if request.key not in have[0]]
    if not missing:
        return ClipFeatures(cached if is_main_process() else None, {})
    fresh = extract(videos, clips, protocol, missing, device=torch.device(device), workers=workers, label=label)
    if not is_main_process():
        return fresh
    if not fresh.failures:  # a clip that failed today may be readable tomorrow
        for request in missing:
            if request.key in paths:
                _write_cache(paths[request.key], fresh.arrays[request.key])
    return ClipFeatures({**cached, **fresh.arrays}, fresh.failures)


def extract(videos: VideoSet, clips: Sequence[Clip], protocol: Protocol, requests: list[FeatureRequest], *,
            device: torch.device, workers: int, label: str) -> ClipFeatures:
    """Decode, resize and describe clips; every process takes its share of the batches.

    Decoding runs in threads ahead of the networks. Results stay on the device until the end, so the device never
    waits for a copy back.

    Args:
        videos (VideoSet): The set.
        clips (Sequence[Clip]): Its clips.
        protocol (Protocol): How clips are prepared.
        requests (list[FeatureRequest]): What is asked for.
        device (torch.device): Where the networks run.
        workers (int): Decoding threads.
        label (str): For the progress bar.

    Returns:
        ClipFeatures: Arrays on the first process, failures on all.
    """
    batches = batch_places(len(clips), protocol.clips.length, get_rank(), get_world_size())
    loader = ClipLoader(videos, clips, protocol=protocol, batches=batches, workers=workers)
    for request in requests:
        request.extractor.to(device)
    places, results, failures = [], [], {}
    total = sum(map(len, batches))
    with full_precision(device), progress_bar(total, label, unit='clip', show=is_main_process()) as bar:
        for batch in loader:
            failures.update(batch.failures)
            if batch.clips:
                places.append(batch.places)
                results.append(reduce_clips(requests, prepare_clips(batch.clips, protocol.frames, device)))
            bar.update(len(batch.places) + len(batch.failures))
    local = {request.key: torch.cat([part[request.key] for part in results]).cpu() if results else None
             for request in requests}
    share = (np.concatenate(places) if places else np.zeros(0, np.int64), local)
    failures = {place: reason for part in all_gather_object(failures) for place, reason in part.items()}
    shares = gather_object(share)
    return ClipFeatures(_assemble(shares, len(clips)) if is_main_process() else None, dict(sorted(failures.items())))


def cache_path(folder: str | Path, videos: VideoSet, clips: Sequence[Clip], protocol: Protocol,
               request: FeatureRequest) -> Path:
    """File of a cached feature: its name is a hash of all that the numbers depend on.

    Contents of the videos, the very frames of the clips, how frames are prepared, and the weights of the network all
    enter; names of folders and times of files do not, so a moved or copied set is recognized.
    """
    digest = hashlib.sha256(f'{CACHE_VERSION}\n{protocol.frames}\n{request.extractor.fingerprint()}\n'.encode())
    for clip in clips:
        entry = videos.entries[clip.video]
        numbers = entry.first + frame_numbers(protocol.clips, clip.start, entry.frames, entry.fps)
        digest.update(f'{entry.sha256} '.encode() + numbers.tobytes())
    return Path(folder) / f'{request.key}-{digest.hexdigest()[:32]}.pt'


def _read_cache(paths: dict[str, Path]) -> dict[str, Tensor]:
    found = {}
    for key, path in paths.items():
        if path.is_file():
            try:
                found[key] = torch.load(path, map_location='cpu', weights_only=True)['features']
            except Exception:  # a damaged file is as good as none: it is computed anew and replaced
                continue
    return found


def _write_cache(path: Path, features: Tensor) -> None:
    with clear_write_errors(path), atomic_path(path) as part:
        torch.save(dict(features=features), part)


def _assemble(shares: list[tuple[np.ndarray, dict[str, Tensor | None]]], number: int) -> dict[str, Tensor]:
    """Put the processes' shares in the order of the clips."""
    arrays = {}
    for key in shares[0][1]:
        parts = [(places, part[key]) for places, part in shares if part[key] is not None]
        if not parts:
            arrays[key] = torch.full((number, 1), torch.nan)
            continue
        example = parts[0][1]
        arrays[key] = example.new_full((number, *example.shape[1:]), torch.nan)
        for places, values in parts:
            arrays[key][torch.from_numpy(places)] = values
    return arrays
