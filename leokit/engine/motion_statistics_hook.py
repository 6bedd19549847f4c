"""Statistics of the motion codes, passed from the training dataset to the model."""

from mmengine.hooks import Hook

from leokit.registry import HOOKS
from leokit.utils.modules import unwrap_model
from leokit.utils.same_animator import CodeOrigin, check_same_animator

STATISTICS = ('mean', 'std', 'residual_std')


@HOOKS.register_module()
class MotionStatisticsHook(Hook):
    """Before training, set the model's code statistics from the training dataset.

    Statistics of a loaded checkpoint are kept, because the network was trained with them; the codes must then come from
    the same animator.

    The frame rate of the codes is set as well, and must be that of the checkpoint, where both are known.

    The dataset has ``statistics()`` and ``animator_hash``, the model a ``normalizer`` (:class:`CodeNormalizer`) and
    ``code_origin``. Single codes have no ``residual_std``. With ``control_statistics()`` of the dataset, those of the
    control are set as well.
    """

    priority = 'VERY_HIGH'  # before the weights are averaged or saved

    def before_train(self, runner) -> None:
        model = unwrap_model(runner.model)
        dataset = runner.train_dataloader.dataset
        fps = getattr(dataset, 'fps', None)
        if fps and hasattr(model.normalizer, 'frame_rate'):
            model.normalizer.set_frame_rate(fps)
        if model.normalizer.statistics_set:
            check_same_animator(model.code_origin, CodeOrigin('the training codes', dataset.animator_hash))
            return
        control = dataset.control_statistics() if hasattr(dataset, 'control_statistics') else None
        encoder = model.conditioning.control_encoder if hasattr(model, 'conditioning') else None
        if control is not None and encoder is not None:
            encoder.set_statistics(**control)
        statistics = dataset.statistics()
        model.normalizer.set_statistics(**{name: statistics[name] for name in STATISTICS if name in statistics},
                                        animator_hash=dataset.animator_hash)
