"""Evaluate LEO end to end (arXiv 2305.03989, section 4): short and long videos, conditional and unconditional.

The videos of each scenario are generated into a folder of the work dir, and the folder is evaluated like any other, so
that ``leokit evaluate`` gives the same scores, and other metrics or programs can follow.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Iterator, Sequence

from mmengine.logging import print_log
from torch import Tensor, nn

from leokit.analysis.long_video_comparison import min_new_codes
from leokit.analysis.model_sheets import stack_sheets, video_grid, video_sheet
from leokit.benchmark.generated_clips import GeneratedClips
from leokit.benchmark.real_videos import first_frames, motion_windows
from leokit.benchmark.scenario import Scenario
from leokit.engine.data_record import check_other_data, describe_part
from leokit.evaluation import (
    Compute, Protocol, ReadOptions, ResultRecord, RunInfo, Score, VideoSet, build_jobs, evaluate_sets, save_records,
    scan_videos)
from leokit.evaluation.evaluation_jobs import EvaluationJob
from leokit.evaluation.motion_records import motion_records
from leokit.evaluation.score_table import score_table
from leokit.evaluation.video_set_metrics import VIDEO_SET_METRICS
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
from leokit.utils.seeds import sample_seeds
from leokit.video import VideoFilter
from leokit.visualization import save_png

TABLE = 'table.md'  # in the work dir
MAX_REAL_WINDOWS = 256  # of real motion that generated motion is compared with


@dataclass
class Plan:
    """A scenario with everything it needs, checked before the first video is generated."""

    scenario: Scenario
    real: VideoSet
    jobs: list[EvaluationJob]
    clips: GeneratedClips
    records: list[ResultRecord] = field(default_factory=list)


@LOOPS.register_module()
class LEOBenchmark:
    """Generate the videos of every scenario and evaluate them.

    The work dir gets one folder of videos per scenario, ``<scenario>.mp4`` with some of them side by side,
    ``records.json`` (see :mod:`leokit.evaluation.records`), ``table.md`` and ``sheet.png``. Existing videos of the same
    settings are reused, so an interrupted benchmark resumes.

    Args:
        leo (LEO): The trained models.
        work_dir (str | Path): Output folder.
        real (dict): ``source``, a folder or manifest of real videos, and ``filters``, a selection of them.
        scenarios (dict): By name, arguments of :meth:`Scenario.from_dict`; None skips a scenario of a base config.
        extractors (dict): Configs in FEATURE_EXTRACTORS: ``video`` for distances, ``content`` for ACD.
        batch_size (int): Videos generated at a time.
        chunk_size (int): Frames per forward pass of the animator.
        clip_format (str): ``'npy'`` and ``'frames'`` are lossless, ``'mp4'`` and ``'gif'`` smaller.
        seed (int): Seed of the noise.
        name (str): Name of the model in tables.
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
        self._real_sets: dict[str, VideoSet] = {}
        self._workers = min(8, os.cpu_count() or 1)

    def run(self) -> dict[str, float]:
        """Generate and evaluate all scenarios.

        Returns:
            dict[str, float]: Values by ``<scenario>/<metric>``.
        """
        plans = [self._plan(scenario) for scenario in self.scenarios]  # all mistakes before any generation
        for real in self._real_sets.values():
            self._check_training_data(real)
        for plan in plans:
            self._generate(plan)
            write_videos(video_grid(plan.clips.folder), [self.work_dir / f'{plan.scenario.name}.mp4'], plan.clips.fps)
            plan.records = self._evaluate(plan)
            self._save(plans)
        return {f'{plan.scenario.name}/{record.metric}': record.score.value for plan in plans
                for record in plan.records}

    # ---- planning ----------------------------------------------------------
    def _plan(self, scenario: Scenario) -> Plan:
        protocol = scenario.protocol
        real = self._real_set(protocol)
        extractors = {'acd': self.extractors['content']}
        if any(metric.extractor is None for name, metric in VIDEO_SET_METRICS.items() if name in scenario.metrics):
            extractors[''] = self.extractors['video']
        options = {config['type']: {key: value for key, value in config.items() if key != 'type'}
                   for config in extractors.values()}
        jobs = build_jobs(scenario.metrics, protocol, {key: config['type'] for key, config in extractors.items()},
                          options)
        clips = GeneratedClips(self.work_dir / scenario.name, self._settings(scenario, real),
                               clip_format=self.clip_format, fps=real.entries[0].fps)
        clips.check_space(scenario.num_videos, scenario.num_frames, self.leo.animator.size)
        if scenario.first_frames == 'generated':
            self.leo.unconditional_generator  # noqa: B018  raises if a model is missing
        return Plan(scenario, real, jobs, clips)

    def _real_set(self, protocol: Protocol) -> VideoSet:
        """The real videos, scanned once for all scenarios of a protocol."""
        key = protocol.fingerprint()
        if key not in self._real_sets:
            self._real_sets[key] = scan_videos(self.real['source'], protocol, use_protocol_split=True,
                                               filters=VideoFilter.from_config(self.real.get('filters')))
        return self._real_sets[key]

    def _check_training_data(self, real: VideoSet) -> None:
        """Warn if a model was trained on identities that it is evaluated on."""
        own = {'test': describe_part(dict(data_root=real.source, filters=asdict(real.filters)), {})}
        sampler = self.leo.start_frame_sampler
        for model in (self.leo.animator, self.leo.motion_diffusion, self.leo.start_code,
                      *(sampler.stages if sampler else ())):
            if model is not None and getattr(model, 'training_data', None):
                check_other_data(own, model.training_data, f'{type(model).__name__} {model.checkpoint}', strict=False,
                                 warn=lambda text: print_log(text, logger='current', level=logging.WARNING))

    def _settings(self, scenario: Scenario, real: VideoSet) -> dict[str, Any]:
        """Everything that the videos of a scenario depend on."""
        generator = self.leo.generator
        models: dict[str, nn.Module | None] = dict(
            animator=generator.animator, motion_diffusion=generator.motion_diffusion)
        settings = dict(seed=self.seed, num_frames=scenario.num_frames, first_frames=scenario.first_frames,
                        amp=self.leo.amp, long_video=_as_dict(generator.motion_diffusion.long_video))
        if scenario.first_frames == 'generated':
            unconditional = self.leo.unconditional_generator
            models.update(start_code=unconditional.start_code, start_frame=unconditional.start_frame_sampler.base,
                          start_frame_sr=unconditional.start_frame_sampler.super_resolution)
        else:
            settings.update(real=real.manifest_hash, stride=scenario.protocol.clips.span)
        for part, model in models.items():
            if model is not None:
                config = dict(getattr(model, 'cfg', {}).get('model') or {})
                config.pop('long_video', None)  # a LEO config may replace it; the strategy in use is recorded above
                # without an unknown frame rate, so that videos of older versions are accepted
                state = model.state_dict().items()
                weights = {key: value for key, value in state if key != 'frame_rate' or value.any()}
                settings[part] = dict(weights=weights_hash(weights), model=config)
        return settings

    # ---- generation --------------------------------------------------------
    def _generate(self, plan: Plan) -> None:
        """Generate the missing videos of a scenario."""
        scenario, missing = plan.scenario, plan.clips.missing(plan.scenario.num_videos)
        with progress_bar(len(missing) * scenario.num_frames, scenario.name) as bar:
            for first in range(0, len(missing), self.batch_size):
                numbers, codes = missing[first:first + self.batch_size], []
                start, frames = self._initial_states(plan, numbers)
                encoding = encode(self.leo.animator, frames, amp=self.leo.amp)
                start = encoding.motion.float() if start is None else start
                noise = generators_from_seeds(sample_seeds(self.seed, numbers))
                motion = _tee(self.leo.generator.sample_motion(start, scenario.num_frames, noise), codes)
                chunks = self.leo.generator.render(encoding, motion, chunk_size=self.chunk_size)
                plan.clips.add(numbers, FrameStream(chunks, scenario.num_frames, self.leo.animator.size), codes,
                               encoding.motion, bar=bar)

    def _initial_states(self, plan: Plan, numbers: Sequence[int]) -> tuple[Tensor | None, Tensor]:
        """Initial codes (B, N), None to take those of the first frames, and first frames (B, 3, S, S)."""
        if plan.scenario.first_frames == 'generated':
            return self.leo.unconditional_generator.sample_initial_states(numbers, seed=self.seed)
        return None, first_frames(plan.real, self.leo.animator.size, numbers, plan.scenario.protocol.clips.span,
                                  crop=self.leo.animator.crop)

    # ---- evaluation --------------------------------------------------------
    def _evaluate(self, plan: Plan) -> list[ResultRecord]:
        scenario, protocol = plan.scenario, plan.scenario.protocol
        device = device_of(self.leo.animator)
        fake = scan_videos(plan.clips.folder, protocol, options=ReadOptions(plan.clips.fps, None, self._workers))
        run = RunInfo.now(f'{self.name} {scenario.name}')
        records = evaluate_sets(plan.real, fake, plan.jobs, protocol, run=run,
                                compute=Compute(str(device), self._workers, statistics_dir()))
        motion, encoded = plan.clips.codes(scenario.num_videos)  # (B, T, N), (B, N)
        length = min([protocol.clips.span, *(entry.frames for entry in plan.real.entries)])
        if length <= JERK_ORDER:
            return records
        windows = motion_windows(self.leo.animator, plan.real, protocol, length=length, workers=self._workers,
                                 count=min(MAX_REAL_WINDOWS, scenario.num_videos), amp=self.leo.amp)
        records += motion_records(motion, windows, self._window_boundaries(scenario.num_frames), protocol=protocol,
                                  run=run, real_info=plan.real.info(len(windows)),
                                  fake_info=fake.info(scenario.num_videos))
        if scenario.first_frames == 'generated':
            records.append(_start_code_record(motion[:, 0], encoded, protocol, run))
        return records

    def _window_boundaries(self, num_frames: int) -> list[int]:
        """Boundaries of the motion diffusion's windows; empty if jerk within the windows cannot be measured."""
        model = self.leo.generator.motion_diffusion
        strategy = model.long_video
        measurable = model.num_frames - strategy.context_frames >= min_new_codes(strategy)
        return model.window_boundaries(num_frames) if measurable else []

    # ---- results -----------------------------------------------------------
    def _save(self, plans: Sequence[Plan]) -> None:
        """Write the results of the scenarios evaluated so far."""
        done = [plan for plan in plans if plan.records]
        save_records(self.work_dir / 'records.json', [record for plan in done for record in plan.records])
        table = score_table({plan.scenario.name: plan.records for plan in done})
        write_bytes(self.work_dir / TABLE, table.encode())
        save_png(self.work_dir / 'sheet.png', stack_sheets([video_sheet(plan.clips.folder) for plan in done]))


def _start_code_record(target: Tensor, measured: Tensor, protocol: Protocol, run: RunInfo) -> ResultRecord:
    """Distance of the codes of generated first frames to their target codes, relative to those of other samples.

    1 is chance level. Both have shape (B, N).
    """
    distance = (measured - target).square().sum(1).sqrt().mean()
    chance = (measured.roll(1, 0) - target).square().sum(1).sqrt().mean()
    value = float(distance / chance)
    return ResultRecord(metric='start_code_error', score=Score(value, values=(value,)), protocol=protocol.as_used(),
                        run=run, details=dict(distance=float(distance), chance=float(chance), videos=len(target)))


def _as_dict(strategy: LongVideoStrategy) -> dict[str, Any]:
    return dict(type=type(strategy).__name__, **vars(strategy))


def _tee(pieces: Iterator[Tensor], copies: list[Tensor]) -> Iterator[Tensor]:
    """Yield the pieces and append each to ``copies``, on the CPU."""
    for piece in pieces:
        copies.append(piece.cpu())
        yield piece
