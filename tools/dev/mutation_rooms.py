"""Which modules are mutated, and which tests have to notice."""

from pathlib import Path
from typing import NamedTuple

# module -> more tests, run after those of its own folder
EXTRA_TESTS: dict[str, tuple[str, ...]] = {
    'leokit/models/motion_diffusion.py': ('tests/long_video', 'tests/inference/test_generation.py'),
    'leokit/long_video/strategies.py': ('tests/models/test_motion_diffusion.py',),
}


class Room(NamedTuple):
    """Modules of one package.

    Attributes:
        modules (tuple[str, ...]): Glob patterns.
        tests (tuple[str, ...]): Folders or files; the file that is named after the module runs first.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]


def _package(name: str, *modules: str, tests: str = '') -> Room:
    return Room(tuple(f'leokit/{name}/{module}.py' for module in modules or ('*',)), (f'tests/{name}/{tests}',))


ROOMS = {
    'metrics': _package('metrics'),
    'samplers': _package('samplers'),
    'noise_schedulers': _package('noise_schedulers'),
    'time_samplers': _package('time_samplers'),
    'models': _package('models', 'animator', 'code_normalizer', 'diffusion', 'diffusion_model', 'motion_diffusion',
                       'start_code_diffusion', 'start_frame_diffusion'),
    'motion_conditions': _package('motion_conditions'),
    'motion_spaces': _package('motion_spaces'),
    'flow_generators': _package('flow_generators'),
    'warp_operators': _package('warp_operators'),
    'nn': _package('nn'),
    'losses': _package('losses'),
    'evaluation': _package('evaluation', 'clip_preprocessing', 'clip_sampling', 'comparison', 'feature_extraction',
                           'reductions', 'uncertainty', 'video_set_metrics'),
    'long_video': _package('long_video'),
    'analysis': _package('analysis', 'action_statistics', 'code_probe', 'disentanglement_report', 'edit_coherence',
                         'expression_pairs', 'expression_report', 'factor_grid', 'long_video_comparison'),
    'benchmark': _package('benchmark', 'generated_clips', 'leo_benchmark', 'real_videos', 'scenario'),
    'video': _package('video', 'frame_rate', 'resize', 'splits', tests='test_[frs]*.py'),
}

# they take long, and repeat on compiled code or in two processes what other tests check
NOT_RUN = 'not (compile or graph_breaks or two_processes or distributed)'


def modules_of(room: Room, root: Path) -> list[str]:
    """The room's modules in a source tree, without ``__init__``."""
    found = {path for pattern in room.modules for path in root.glob(pattern) if path.name != '__init__.py'}
    return sorted(str(path.relative_to(root)) for path in found)


def tests_of(room: Room, module: str, root: Path) -> list[str]:
    """The test files that have to notice a mutation of a module, its own first."""
    files = []
    for pattern in (*room.tests, *EXTRA_TESTS.get(module, ())):
        for path in sorted(root.glob(pattern.rstrip('/'))):
            files += sorted(path.rglob('test_*.py')) if path.is_dir() else [path]
    own = Path(module).stem
    files.sort(key=lambda path: path.stem != f'test_{own}')  # stable
    return list(dict.fromkeys(str(path.relative_to(root)) for path in files))
