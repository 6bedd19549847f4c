"""Testing LEO as a whole, as its paper does (arXiv 2305.03989, section 4): short and long, of somebody and of nobody.

Every scenario makes its videos into a folder of the work dir and measures that folder as ``tools/evaluate.py`` does, so
that the same numbers can be had from the folder again, with other measures or by other programs.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, Sequence

from torch import Tensor, nn

from leokit.analysis.model_sheets import stack_sheets, video_grid, video_sheet
from leokit.benchmark.generated_clips import GeneratedClips
from leokit.benchmark.real_videos import first_frames, motion_windows
from leokit.benchmark.scenario import Scenario
from leokit.evaluation import (
    Compute, Protocol, ReadOptions, ResultRecord, RunInfo, Score, VideoSet, build_jobs, evaluate_sets, save_records,
    scan_videos)
from leokit.evaluation.evaluate_sets import EvaluationJob
from leokit.evaluation.motion_records import motion_records
from leokit.evaluation.score_table import score_table
from leokit.inference.generation import sample_seeds
from leokit.inference.leo import LEO
from leokit.inference.outputs import FrameStream, write_videos
from leokit.inference.rendering import encode
from leokit.long_video import LongVideoStrategy
from leokit.metrics.motion_statistics import JERK_ORDER
from leokit.registry import LOOPS
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError, progress_bar, weights_hash
from leokit.utils.cache_dirs import statistics_dir
from leokit.utils.files import write_bytes
from leokit.utils.modules import device_of
from leokit.video import VideoFilter
from leokit.visualization import save_png

TABLE = 'table.md'  # in the work dir, for people
MAX_REAL_WINDOWS = 256  # of real motion that generated motion is compared with


@dataclass
class Plan:
    """A scenario with what it needs, checked before anything is made."""

    scenario: Scenario
    real: VideoSet
    jobs: list[EvaluationJob]
    clips: GeneratedClips
    records: list[ResultRecord] = field(default_factory=list)


@LOOPS.register_module()
class LEOBenchmark:
    """Make videos of every scenario, and measure them.

    The work dir gets a folder of videos for every scenario, ``records.json`` (see :mod:`leokit.evaluation.records`),
    ``table.md`` and ``sheet.png``; some videos of a scenario stand side by side in ``<scenario>.mp4``. What is there
    already is not made again.

    Args:
        leo (LEO): The trained models.
        work_dir (str | Path): Where videos and results go.
        real (dict): ``source``, a folder or manifest of real videos, and ``filters``, what to take of it.
        scenarios (dict): By name, dicts for :meth:`Scenario.from_dict`; None leaves one out.
        extractors (dict): Configs in FEATURE_EXTRACTORS: ``video`` for the distances, ``content`` for ACD.
        batch_size (int): Videos made side by side.
        chunk_size (int): Frames per forward pass of the animator.
        clip_format (str): ``'npy'`` and ``'frames'`` lose nothing; ``'mp4'`` and ``'gif'`` are smaller.
        seed (int): Another seed makes other videos.
        name (str): What made the videos, for tables.

    Raises:
        UserError: If an option is unknown or out of range.
    """

    def __init__(self, leo: LEO, work_dir: str | Path, *, real: Mapping[str, Any], scenarios: Mapping[str, Any],
                 extractors: Mapping[str, Mapping[str, Any]], batch_size: int = 16, chunk_size: int = 64,
                 clip_format: str = 'npy', seed: int = 0, name: str = 'leo') -> None:
        if batch_size < 1:
            raise UserError(f'test_cfg.batch_size must be 1 or more, got {batch_size}')
        self.leo = leo
        self.work_dir = Path(work_dir)
        self.real = dict(real)
        self.scenarios = [Scenario.from_dict(key, values) for key, values in scenarios.items() if values]
        self.extractors = {key: dict(config) for key, config in extractors.items()}
        self.batch_size = batch_size
        self.chunk_size = chunk_size
        self.clip_format = clip_format
        self.seed = seed
        self.name = name
        self._scanned: dict[str, VideoSet] = {}
        self._workers = min(8, os.cpu_count() or 1)

    def run(self) -> dict[str, float]:
        """Make and measure.

        Returns:
            dict[str, float]: Values by ``<scenario>/<metric>``.

        Raises:
            UserError: If real videos are missing, a model is not there, or the disk has no room.
        """
        plans = [self._plan(scenario) for scenario in self.scenarios]  # mistakes of the last one show before the first
        for plan in plans:
            self._make(plan)
            write_videos(video_grid(plan.clips.folder), [self.work_dir / f'{plan.scenario.name}.mp4'], plan.clips.fps)
            plan.records = self._measure(plan)
            self._save(plans)
        return {f'{plan.scenario.name}/{record.metric}': record.score.value for plan in plans
                for record in plan.records}

    # ---- before ------------------------------------------------------------
    def _plan(self, scenario: Scenario) -> Plan:
        protocol = scenario.protocol
        real = self._scan(protocol)
        chosen = {'': self.extractors['video'], 'acd': self.extractors['content']}
        options = {config['type']: {key: value for key, value in config.items() if key != 'type'}
                   for config in chosen.values()}
        jobs = build_jobs(scenario.metrics, protocol, {key: config['type'] for key, config in chosen.items()},
                            options)
        clips = GeneratedClips(self.work_dir / scenario.name, self._facts(scenario, real), clip_format=self.clip_format,
                           fps=real.entries[0].fps)
        clips.check_space(scenario.num_videos, scenario.num_frames, self.leo.animator.size)
        if scenario.first_frames == 'generated':
            self.leo.unconditional_generator  # noqa: B018  says what is missing
        return Plan(scenario, real, jobs, clips)

    def _scan(self, protocol: Protocol) -> VideoSet:
        """The real videos, looked at once for all scenarios of a protocol."""
        key = protocol.fingerprint()
        if key not in self._scanned:
            self._scanned[key] = scan_videos(self.real['source'], protocol, use_protocol_split=True,
                                             filters=VideoFilter.from_config(self.real.get('filters')))
        return self._scanned[key]

    def _facts(self, scenario: Scenario, real: VideoSet) -> dict[str, Any]:
        """What the videos of a scenario depend on."""
        generator = self.leo.generator
        models: dict[str, nn.Module | None] = dict(
            animator=generator.animator, motion_diffusion=generator.motion_diffusion)
        facts = dict(seed=self.seed, num_frames=scenario.num_frames, first_frames=scenario.first_frames,
                     amp=self.leo.amp, long_video=_as_dict(generator.motion_diffusion.long_video))
        if scenario.first_frames == 'generated':
            drawing = self.leo.unconditional_generator
            models.update(start_code=drawing.start_code, start_frame=drawing.painter.base,
                          start_frame_sr=drawing.painter.super_resolution)
        else:
            facts.update(real=real.manifest_hash, stride=scenario.protocol.clips.span)
        for part, model in models.items():
            if model is not None:
                settings = dict(getattr(model, 'cfg', {}).get('model') or {})
                settings.pop('long_video', None)  # a LEO config may replace it; the strategy in use is recorded above
                facts[part] = dict(weights=weights_hash(model.state_dict()), model=settings)
        return facts

    # ---- making ------------------------------------------------------------
    def _make(self, plan: Plan) -> None:
        """Make the videos of a scenario that are not there yet."""
        scenario, missing = plan.scenario, plan.clips.missing(plan.scenario.num_videos)
        with progress_bar(len(missing) * scenario.num_frames, scenario.name) as bar:
            for first in range(0, len(missing), self.batch_size):
                numbers, kept = missing[first:first + self.batch_size], []
                start, frames = self._starts(plan, numbers)
                encoding = encode(self.leo.animator, frames, amp=self.leo.amp)
                start = encoding.motion.float() if start is None else start
                noise = generators_from_seeds(sample_seeds(self.seed, numbers))
                motion = _tee(self.leo.generator.sample_motion(start, scenario.num_frames, noise), kept)
                chunks = self.leo.generator.render(encoding, motion, chunk_size=self.chunk_size)
                plan.clips.add(numbers, FrameStream(chunks, scenario.num_frames, self.leo.animator.size), kept,
                               encoding.motion, bar=bar)

    def _starts(self, plan: Plan, numbers: Sequence[int]) -> tuple[Tensor | None, Tensor]:
        """Starting codes (B, N), None for those of the frames, and first frames (B, 3, S, S)."""
        if plan.scenario.first_frames == 'generated':
            return self.leo.unconditional_generator.draw_starts(numbers, seed=self.seed)
        return None, first_frames(plan.real, self.leo.animator.size, numbers, plan.scenario.protocol.clips.span)

    # ---- measuring ---------------------------------------------------------
    def _measure(self, plan: Plan) -> list[ResultRecord]:
        scenario, protocol = plan.scenario, plan.scenario.protocol
        device = device_of(self.leo.animator)
        fake = scan_videos(plan.clips.folder, protocol, options=ReadOptions(plan.clips.fps, None, self._workers))
        run = RunInfo.now(f'{self.name} {scenario.name}')
        records = evaluate_sets(plan.real, fake, plan.jobs, protocol, run=run,
                                compute=Compute(str(device), self._workers, statistics_dir()))
        motion, read = plan.clips.codes(scenario.num_videos)
        length = min([protocol.clips.span, *(entry.frames for entry in plan.real.entries)])
        if length <= JERK_ORDER:
            return records
        windows = motion_windows(self.leo.animator, plan.real, protocol, length=length, workers=self._workers,
                                 count=min(MAX_REAL_WINDOWS, scenario.num_videos), amp=self.leo.amp)
        facts = dict(protocol=protocol, run=run, real_info=plan.real.info(len(windows)),
                     fake_info=fake.info(scenario.num_videos))
        records += motion_records(motion, windows, self._seams(scenario.num_frames), **facts)
        if scenario.first_frames == 'generated':
            records.append(_start_record(motion[:, 0], read, protocol, run))
        return records

    def _seams(self, num_frames: int) -> list[int]:
        """Where windows meet; none where windows are too short to tell a joint from the rest."""
        model = self.leo.generator.motion_diffusion
        strategy = model.long_video
        fewest = 1 + JERK_ORDER * (2 if strategy.pending_frames else 1)
        enough = model.num_frames - strategy.context_frames >= fewest
        return model.window_boundaries(num_frames) if enough else []

    # ---- after -------------------------------------------------------------
    def _save(self, plans: Sequence[Plan]) -> None:
        done = [plan for plan in plans if plan.records]
        save_records(self.work_dir / 'records.json', [record for plan in done for record in plan.records])
        table = score_table({plan.scenario.name: plan.records for plan in done})
        write_bytes(self.work_dir / TABLE, table.encode())
        save_png(self.work_dir / 'sheet.png', stack_sheets([video_sheet(plan.clips.folder) for plan in done]))


def _start_record(asked: Tensor, read: Tensor, protocol: Protocol, run: RunInfo) -> ResultRecord:
    """How far the drawn frames show the motion asked for: distance over that to another sample's code; 1 is chance."""
    distance = (read - asked).square().sum(1).sqrt().mean()
    chance = (read.roll(1, 0) - asked).square().sum(1).sqrt().mean()
    value = float(distance / chance)
    return ResultRecord(metric='start_code_error', score=Score(value, values=(value,)), protocol=protocol.to_dict(),
                        run=run, details=dict(distance=float(distance), chance=float(chance), videos=len(asked)))


def _as_dict(strategy: LongVideoStrategy) -> dict[str, Any]:
    return dict(type=type(strategy).__name__, **vars(strategy))


def _tee(pieces: Iterator[Tensor], kept: list[Tensor]) -> Iterator[Tensor]:
    """The same pieces, each also kept on the CPU."""
    for piece in pieces:
        kept.append(piece.cpu())
        yield piece
