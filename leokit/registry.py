"""Every registry of leokit.

There are two families. The first extends MMEngine's registries, so that MMEngine's Runner builds what is registered
here. The second holds the components of models and metrics. Component registries have no parent, because a root of
MMEngine accepts one child per scope, and a nested registry is not found once a default scope is set.

A component registry has the name of its package folder and of its tests folder.
"""

from importlib import import_module
from typing import Any

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry as MMEngineRegistry
from mmengine.registry import build_from_cfg
from mmengine.registry import root as mmengine_roots

from leokit.deprecation import TYPES, upgrade_component
from leokit.utils.build_errors import as_user_error, explain_mistake
from leokit.utils.manager_locks import release_manager_lock_on_error


# Modules of MMEngine that register more; they import all optimizers, so only a name that is unknown leads to them.
FALLBACKS = dict(model='mmengine.model')

# Components are built in threads, too, and each writes to MMEngine's log.
release_manager_lock_on_error()


class Registry(MMEngineRegistry):
    """MMEngine's registry with two additions.

    It accepts the old names of :mod:`leokit.deprecation`, and a mistake in a config raises
    :class:`~leokit.utils.UserError` with one sentence.
    """

    def build(self, cfg: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        cfg = upgrade_component(cfg) if isinstance(cfg, dict) else cfg
        with as_user_error(explain_mistake(cfg, self)):
            return super().build(cfg, *args, **kwargs)

    def get(self, key: str) -> type | None:
        if isinstance(key, str) and key in TYPES:
            key = upgrade_component(dict(type=key))['type']
        if isinstance(key, str) and '.' in key and not self._is_scoped(key):
            return None
        found = super().get(key)
        if found is None and self.name in FALLBACKS:
            import_module(FALLBACKS[self.name])
            found = super().get(key)
        return found

    def _is_scoped(self, key: str) -> bool:
        """True for ``scope.Type`` with a known scope.

        MMEngine imports any other dotted name, so that ``--editor os.system`` would run code.
        """
        scope, _, name = key.partition('.')
        root = self._get_root_registry()
        return '.' not in name and (scope in (self.scope, root.scope) or scope in root.children)


# ---- children of MMEngine's registries -------------------------------------
# Trainable models and data preprocessors: Animator, MotionDiffusion, ...
# MMEngine's own build function imports all optimizers.
MODELS = Registry('model', build_func=build_from_cfg, parent=MMENGINE_MODELS, scope='leokit',
                  locations=['leokit.models'])
# Datasets: FramePairDataset, ClipDataset, MotionCodeDataset, ...
DATASETS = Registry('dataset', parent=MMENGINE_DATASETS, scope='leokit', locations=['leokit.datasets'])
# Order of the samples of a dataset, resumable at any iteration: DeterministicSampler.
DATA_SAMPLERS = Registry(
    'data sampler', parent=MMENGINE_DATA_SAMPLERS, scope='leokit', locations=['leokit.datasets'])
# Batch augmentations that run on the device.
TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, scope='leokit', locations=['leokit.datasets'])
# Metrics that the Runner computes in validation and test, over the functions of leokit.metrics.
METRICS = Registry('metric', parent=MMENGINE_METRICS, scope='leokit',
                   locations=['leokit.evaluation.runner_metrics', 'leokit.benchmark'])
# Training hooks: weight averaging, checkpoints, loss monitoring, ...
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='leokit', locations=['leokit.engine.components'])
# Training, validation and test loops.
LOOPS = Registry('loop', parent=MMENGINE_LOOPS, scope='leokit',
                 locations=['leokit.engine.components', 'leokit.benchmark'])
# Optimizer wrappers: bfloat16 autocast on any device.
OPTIM_WRAPPERS = Registry(
    'optim wrapper', parent=MMENGINE_OPTIM_WRAPPERS, scope='leokit', locations=['leokit.engine.components'])

# MMEngine warns at every use of a root without a child of the default scope, so all other roots get an empty child.
ROOTS = tuple(root for root in vars(mmengine_roots).values() if isinstance(root, MMEngineRegistry))
for _root in ROOTS:
    if 'leokit' not in _root.children:
        Registry(_root.name, parent=_root, scope='leokit')


def _component(name: str) -> Registry:
    return Registry(name, scope='leokit', locations=[f'leokit.{name}'])


# ---- components of the animator --------------------------------------------
# image -> Encoding(appearance, motion, features)
ENCODERS = _component('encoders')
# appearance vector, motion code -> latent of the generator
MOTION_SPACES = _component('motion_spaces')
# latent, source features -> flow maps, masks, frame
FLOW_GENERATORS = _component('flow_generators')
# feature map, flow map, mask -> warped feature map
WARP_OPERATORS = _component('warp_operators')
# image -> real/fake logit
DISCRIMINATORS = _component('discriminators')
# generated frame, driving frame -> training loss
LOSSES = _component('losses')

# ---- components of the motion diffusion ------------------------------------
# denoising networks: x_t, t, condition -> prediction of the shape of x_t
DIFFUSION_BACKBONES = _component('diffusion_backbones')
# forward process, training targets, conversions between x0, epsilon and v
NOISE_SCHEDULERS = _component('noise_schedulers')
# distribution of the diffusion time in training
TIME_SAMPLERS = _component('time_samplers')
# reverse process for any callable denoise(x, t)
SAMPLERS = _component('samplers')
# conditioning of a motion sequence on its first code: Linear Motion Condition, concatenation, none
MOTION_CONDITIONS = _component('motion_conditions')
# control of each frame, such as a head pose or features of sound -> features of each frame
CONTROL_ENCODERS = _component('control_encoders')
# training objectives that make a student sample in few steps: progressive, consistency
DISTILLATIONS = _component('distillations')
# continuation of a window of a long sequence from the previous one: last code, history, overlap
LONG_VIDEO = _component('long_video')

# ---- components of data and measurement ------------------------------------
# file or folder -> frames: PyAV, frame folders, arrays, decord
VIDEO_READERS = Registry('video_readers', scope='leokit', locations=['leokit.video'])
# metadata file of a published dataset -> records of its clips
METADATA_READERS = Registry('metadata_readers', scope='leokit', locations=['leokit.preparation.formats'])
# image or video -> feature vector: I3D, face identity, color statistics, image backbones
FEATURE_EXTRACTORS = _component('feature_extractors')

# ---- components of inputs --------------------------------------------------
# frame -> faces: boxes, landmarks
FACE_DETECTORS = _component('face_detectors')
# frame -> people: boxes
PERSON_DETECTORS = _component('person_detectors')
# faces or people of a clip -> region of its frames that a model sees
CROPPERS = _component('croppers')

# ---- components of editing -------------------------------------------------
# first frame -> edited first frame: an edited file, a color change, ...
IMAGE_EDITORS = _component('image_editors')

__all__ = [
    'CONTROL_ENCODERS', 'CROPPERS', 'DATASETS', 'DATA_SAMPLERS', 'DIFFUSION_BACKBONES', 'DISCRIMINATORS',
    'DISTILLATIONS', 'ENCODERS', 'FACE_DETECTORS', 'FEATURE_EXTRACTORS', 'FLOW_GENERATORS', 'HOOKS', 'IMAGE_EDITORS',
    'LONG_VIDEO', 'LOOPS', 'LOSSES', 'METADATA_READERS', 'METRICS', 'MODELS', 'MOTION_CONDITIONS', 'MOTION_SPACES',
    'NOISE_SCHEDULERS', 'OPTIM_WRAPPERS', 'PERSON_DETECTORS', 'SAMPLERS', 'TIME_SAMPLERS', 'TRANSFORMS',
    'VIDEO_READERS', 'WARP_OPERATORS',
]
