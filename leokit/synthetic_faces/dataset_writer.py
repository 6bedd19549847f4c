"""Writing a synthetic dataset: videos, manifest and ground truth, on all cores, resumable at any time."""

import os
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Iterator, Sequence

import torch
from einops import rearrange

from leokit.synthetic_faces.dataset_plan import SETTINGS_FILE, SyntheticClip, SyntheticFacesPlan
from leokit.synthetic_faces.ground_truth import TRUTH_FILE, save_truth
from leokit.synthetic_faces.renderer import render_faces
from leokit.utils import UserError, progress_bar
from leokit.utils.devices import check_device
from leokit.utils.files import clear_write_errors
from leokit.utils.folder_lock import one_writer
from leokit.utils.process_map import exit_with_parent
from leokit.utils.settings_file import lock_settings
from leokit.video import VideoWriter
from leokit.video.manifest import write_manifest

LOCK_FILE = '.synthetic_faces.lock'
# Lossless, with color at full resolution. At 64x64, artifacts of the usual settings (crf 18, 4:2:0) would be more than
# half of the perceptual distance between two frames of a clip: evaluations would measure the codec.
CRF = 0
PIXEL_FORMAT = 'yuv444p'
KEYFRAME_INTERVAL = 12  # training reads single frames in random order
CHUNK_FRAMES = 64  # bounds the memory for clips of any length
CLIPS_PER_TASK = 8  # clips that a worker process receives at a time


def write_synthetic_faces(out_dir: str | Path, plan: SyntheticFacesPlan, *, workers: int | None = None,
                          device: str | torch.device = 'cpu', show_progress: bool = True) -> Path:
    """Render all clips of a plan and write them as H.264, with manifest and ground truth.

    The folder then holds ``videos/*.mp4``, ``manifest.json`` (name, file, identity, split, frames, fps, size,
    behavior), ``truth.npz`` (see :func:`load_truth`) and the settings. A second call with the same plan writes the
    missing clips only; a run that is killed loses the clips in progress. The manifest is written last.

    Workers are spawned processes, so a script that calls this needs ``if __name__ == '__main__':``.

    Args:
        out_dir (str | Path): Folder of the dataset; created if it does not exist.
        plan (SyntheticFacesPlan): Settings of the dataset.
        workers (int, optional): Number of processes; 0 uses the current one. Default: one per core. With another device
            than the CPU, threads of this process.
        device (str | torch.device): Where frames are rendered. Those of a GPU can differ from those of a CPU by the
            rounding of single values.
        show_progress (bool): Show a progress bar.

    Returns:
        Path: The manifest.
    """
    out_dir, device = Path(out_dir), check_device(device)
    with one_writer(out_dir, LOCK_FILE):
        _open_folder(out_dir, plan)
        clips = plan.clips()
        missing = [clip for clip in clips if not (out_dir / clip.file).is_file()]
        label = 'rendering faces' if len(missing) == len(clips) else f'rendering the {len(missing)} missing clips'
        with progress_bar(len(missing), label, unit='clip', show=show_progress and bool(missing)) as bar:
            for count in _write_clips(out_dir, plan, missing, _count_workers(workers, len(missing)), device):
                bar.update(count)
        with clear_write_errors(out_dir):
            save_truth(out_dir, plan)
            manifest = out_dir / 'manifest.json'
            write_manifest(manifest, [_describe(clip, plan) for clip in clips])
    return manifest


def write_synthetic_truth(out_dir: str | Path, plan: SyntheticFacesPlan) -> Path:
    """Write the ground truth of a dataset without its videos; :func:`write_synthetic_faces` can add them later.

    Returns:
        Path: The file.
    """
    out_dir = Path(out_dir)
    with one_writer(out_dir, LOCK_FILE):
        _open_folder(out_dir, plan)
        with clear_write_errors(out_dir):
            save_truth(out_dir, plan)
    return out_dir / TRUTH_FILE


def write_clip(out_dir: str | Path, plan: SyntheticFacesPlan, clip: SyntheticClip,
               device: str | torch.device = 'cpu') -> None:
    """Render one clip of a plan and write its video; the file appears under its name when it is complete."""
    appearance = torch.from_numpy(plan.appearance(clip)).to(device)
    motion = torch.from_numpy(plan.motion(clip)[0]).to(device)
    textures = plan.textures(clip)
    textures = None if textures is None else torch.from_numpy(textures).to(device)
    with VideoWriter(Path(out_dir) / clip.file, plan.fps, crf=CRF, keyframe_interval=KEYFRAME_INTERVAL,
                     threads=1, pixel_format=PIXEL_FORMAT) as writer:
        for number, chunk in enumerate(motion.split(CHUNK_FRAMES)):
            frames = render_faces(appearance, chunk, size=plan.size, textures=textures,
                                  first_frame=number * CHUNK_FRAMES)
            writer.write(rearrange(frames.cpu(), 't c h w -> t h w c'))


def _open_folder(out_dir: Path, plan: SyntheticFacesPlan) -> None:
    """Record the settings in a new folder; raise if the folder belongs to something else."""
    videos, settings_file = out_dir / 'videos', out_dir / SETTINGS_FILE
    with clear_write_errors(out_dir):
        videos.mkdir(exist_ok=True)
    if not settings_file.is_file() and any(videos.iterdir()):
        raise UserError(f'{videos} already holds other files; choose another folder')
    lock_settings(settings_file, plan.settings(), subject=f'{out_dir} holds clips',
                  remedy='use the same settings to resume, or choose another folder')
    for partial in videos.glob('*.part.*'):  # of an interrupted run
        partial.unlink()


def _count_workers(workers: int | None, num_clips: int) -> int:
    if workers is None:
        workers = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    return min(workers, -(-num_clips // CLIPS_PER_TASK))


def _write_clips(out_dir: Path, plan: SyntheticFacesPlan, clips: Sequence[SyntheticClip], workers: int,
                 device: torch.device) -> Iterator[int]:
    """Write clips; yields the number of newly finished clips."""
    if workers <= 1:
        for clip in clips:
            write_clip(out_dir, plan, clip, device)
            yield 1
        return
    if device.type != 'cpu':  # rendering waits for the device, encoding runs outside Python's lock
        with ThreadPoolExecutor(workers) as pool:
            yield from _finished(pool, [pool.submit(_work, out_dir, plan, [clip], device) for clip in clips])
        return
    tasks = [clips[start:start + CLIPS_PER_TASK] for start in range(0, len(clips), CLIPS_PER_TASK)]
    with ProcessPoolExecutor(workers, mp_context=get_context('spawn'), initializer=_start_worker) as pool:
        try:
            yield from _finished(pool, [pool.submit(_work, out_dir, plan, task, device) for task in tasks])
        except BrokenProcessPool as error:
            raise UserError(f'a worker process was killed, possibly because memory ran out; run the same command again '
                            f'with fewer workers to resume in {out_dir}') from error


def _finished(pool: Executor, futures: Sequence[Future[int]]) -> Iterator[int]:
    """Results of futures as they are completed; the first error cancels the others."""
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Use one thread per process, and exit with the parent process."""
    torch.set_num_threads(1)
    exit_with_parent()


def _work(out_dir: Path, plan: SyntheticFacesPlan, clips: Sequence[SyntheticClip], device: torch.device) -> int:
    for clip in clips:
        write_clip(out_dir, plan, clip, device)
    return len(clips)


def _describe(clip: SyntheticClip, plan: SyntheticFacesPlan) -> dict[str, object]:
    return dict(name=clip.name, file=clip.file, frames=plan.num_frames, fps=plan.fps, size=[plan.size, plan.size],
                split=clip.split, identity=clip.identity, behavior=plan.motion(clip)[1])
