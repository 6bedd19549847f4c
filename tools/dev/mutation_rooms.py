"""Which modules are mutated, and which tests have to notice."""

from pathlib import Path
from typing import NamedTuple


class Room(NamedTuple):
    """Modules of one package.

    Attributes:
        modules (tuple[str, ...]): Glob patterns.
        tests (tuple[str, ...]): Glob patterns of test files that run after the one that is named after the module.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]


def _package(name: str, *modules: str, tests: tuple[str, ...] = ('test_*',)) -> Room:
    return Room(tuple(f'leokit/{name}/{module}.py' for module in modules or ('*',)),
                tuple(f'tests/{name}/{test}.py' for test in tests))


ROOMS = {
    'metrics': _package('metrics'),
    'samplers': _package('samplers'),
    'noise_schedulers': _package('noise_schedulers'),
    'time_samplers': _package('time_samplers'),
    'motion_conditions': _package('motion_conditions'),
    'motion_spaces': _package('motion_spaces'),
    'encoders': _package('encoders'),
    'flow_generators': _package('flow_generators'),
    'discriminators': _package('discriminators'),
    'feature_extractors': _package('feature_extractors', tests=('test_defaults',)),
    'warp_operators': _package('warp_operators'),
    'nn': _package('nn'),
    'losses': _package('losses'),
    'long_video': _package('long_video'),
    'distillations': _package('distillations', tests=('test_targets', 'test_training')),
    'diffusion_backbones': _package('diffusion_backbones', tests=('test_definitions', 'test_diffusion_backbones')),
    'control_encoders': _package('control_encoders'),
    'engine': _package('engine', 'cast_weights', 'ema_hook', 'fused_update', 'graphed_step', 'loss_ramp_hook',
                       'loss_watch_hook', 'motion_statistics_hook', 'optim_wrapper', 'update_kernels', tests=()),
    'datasets': _package('datasets', 'face_regions', 'resident_batches', 'transforms/affine', 'transforms/flip',
                         tests=()),
    'data_tools': _package('data_tools', 'face_region_detection', tests=()),
    'synthetic_faces': _package('synthetic_faces', 'face_regions', tests=()),
    'croppers': _package('croppers'),
    'video': _package('video', 'frame_rate', 'resize', 'splits', tests=()),
    'models': _package('models', 'animator', 'code_normalizer', 'diffusion', 'diffusion_model', 'motion_conditioning',
                       'motion_diffusion', 'motion_inpainting', 'motion_windows', 'start_code_diffusion',
                       'start_frame_diffusion', tests=('test_defaults', 'test_shapes')),
    'utils': _package('utils', 'early_gradients', 'process_streams', tests=()),
    'evaluation': _package('evaluation', 'clip_preprocessing', 'clip_sampling', 'comparison', 'feature_extraction',
                           'reductions', 'uncertainty', 'video_set_metrics', tests=('test_evaluate_sets',)),
    'analysis': _package('analysis', 'action_statistics', 'clip_statistics', 'code_probe', 'disentanglement_report',
                         'edit_coherence', 'expression_pairs', 'expression_report', 'factor_grid',
                         'long_video_comparison', 'step_curve', tests=('test_defaults',)),
    'benchmark': _package('benchmark', 'generated_clips', 'leo_benchmark', 'real_videos', 'scenario',
                          tests=('test_leo_benchmark',)),
}

# module -> tests of its package under another name, and of the package that uses it
MORE_TESTS = {
    'leokit/datasets/transforms/affine.py': ('tests/datasets/transforms/test_batch_transform.py',),
    'leokit/datasets/transforms/flip.py': ('tests/datasets/transforms/test_batch_transform.py',),
    'leokit/diffusion_backbones/norm_kernels.py': ('tests/diffusion_backbones/test_fused_norm.py',),
    'leokit/diffusion_backbones/unet.py': (
        'tests/diffusion_backbones/test_unet_1d.py', 'tests/diffusion_backbones/test_unet_2d.py'),
    'leokit/encoders/encoder_kernels.py': ('tests/encoders/test_fused_encoder.py',),
    'leokit/engine/fused_update.py': ('tests/engine/test_fused_graph.py',),
    'leokit/engine/update_kernels.py': ('tests/engine/test_fused_update.py',),
    'leokit/feature_extractors/depthwise_kernels.py': ('tests/feature_extractors/test_depthwise.py',),
    'leokit/feature_extractors/face_detection.py': (
        'tests/feature_extractors/test_face_identity.py', 'tests/feature_extractors/test_face_landmarks.py'),
    'leokit/feature_extractors/face_input.py': (
        'tests/feature_extractors/test_face_detection.py', 'tests/video/test_face_crop.py'),
    'leokit/feature_extractors/image_backbone.py': (
        'tests/feature_extractors/test_efficientnet.py', 'tests/feature_extractors/test_vgg.py'),
    'leokit/models/animator.py': ('tests/models/test_single_backward.py', 'tests/models/test_contracts.py'),
    'leokit/models/code_normalizer.py': ('tests/models/test_diffusion_model.py',),
    'leokit/models/diffusion.py': ('tests/models/test_diffusion_model.py', 'tests/models/test_motion_diffusion.py'),
    'leokit/models/diffusion_model.py': (
        'tests/models/test_motion_diffusion.py', 'tests/utils/test_graphed_function.py'),
    'leokit/models/motion_diffusion.py': ('tests/long_video/test_strategies.py',),
    'leokit/models/motion_windows.py': ('tests/models/test_motion_diffusion.py', 'tests/long_video/test_strategies.py'),
    'leokit/models/start_code_diffusion.py': ('tests/models/test_diffusion_model.py',),
    'leokit/models/start_frame_diffusion.py': ('tests/models/test_diffusion_model.py',),
    'leokit/nn/resample_kernels.py': ('tests/nn/test_fused_filter.py',),
    'leokit/warp_operators/warp_kernels.py': ('tests/warp_operators/test_fused_warp.py',),
    'leokit/analysis/long_video_comparison.py': ('tests/cli/analyze/test_long_video.py',),
}

# modules that only tests marked slow run on a CPU, in Triton's interpreter
TESTED_SLOWLY = ('leokit/diffusion_backbones/fused_norm.py', 'leokit/diffusion_backbones/norm_kernels.py',
                 'leokit/encoders/encoder_kernels.py', 'leokit/encoders/fused_encoder.py',
                 'leokit/engine/fused_update.py', 'leokit/engine/update_kernels.py',
                 'leokit/feature_extractors/depthwise.py', 'leokit/feature_extractors/depthwise_kernels.py',
                 'leokit/flow_generators/decoder_kernels.py', 'leokit/flow_generators/fused_decoder.py',
                 'leokit/nn/fused_filter.py', 'leokit/nn/resample_kernels.py', 'leokit/warp_operators/fused_warp.py',
                 'leokit/warp_operators/warp_kernels.py')

# they take long: short trainings, and what other tests check, on compiled code or in two processes
NOT_RUN = 'not (compile or compiled or graph_breaks or two_processes or learns)'


def modules_of(room: Room, root: Path) -> list[str]:
    """The room's modules in a source tree, without ``__init__``."""
    found = {path for pattern in room.modules for path in root.glob(pattern) if path.name != '__init__.py'}
    return sorted(str(path.relative_to(root)) for path in found)


def tests_of(room: Room, module: str, root: Path) -> list[str]:
    """The test files that have to notice a mutation of a module, the one of its name first."""
    path = Path(module)
    own = Path('tests', *path.parts[1:-1], f'test_{path.name}')
    patterns = (str(own), *MORE_TESTS.get(module, ()), *room.tests)
    files = [file for pattern in patterns for file in sorted(root.glob(pattern))]
    return list(dict.fromkeys(str(file.relative_to(root)) for file in files))
