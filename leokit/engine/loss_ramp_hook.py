"""Linear ramp of a loss weight at the start of training."""

from typing import Sequence

from mmengine.hooks import Hook

from leokit.registry import HOOKS
from leokit.utils import UserError
from leokit.utils.modules import unwrap_model


@HOOKS.register_module()
class LossRampHook(Hook):
    """Raise the weight of a loss linearly from a fraction of it to the full weight.

    Deep features of a sharp image change little under small motion and much under distortion. A perceptual loss of
    full weight therefore keeps an animator that starts as a copy of its source from learning any motion. The weight is
    a function of the iteration alone, so a resumed training equals an uninterrupted one.

    An adversarial loss may start later than its discriminator, which by then has learned to recognize fakes.

    Args:
        loss (str): The ``name`` of one of the model's ``losses``, or of an adversarial loss.
        end (int): The first iteration with the full weight.
        start (float): Initial fraction of the weight; a loss of weight 0 is not computed.
        begin (int): The iteration at which the ramp starts.
    """

    def __init__(self, loss: str, end: int, *, start: float = 0.1, begin: int = 0) -> None:
        if not 0 <= begin < end or not 0 <= start <= 1:
            raise UserError(f'LossRampHook needs 0 <= begin < end and start from 0 to 1, got begin={begin}, '
                            f'end={end} and start={start}')
        self.loss = loss
        self.end = end
        self.start = start
        self.begin = begin

    def before_train(self, runner) -> None:
        model = unwrap_model(runner.model)
        adversarial = [getattr(model, name, None) for name in ('adversarial', 'crop_adversarial')]
        losses = {loss.name: loss for loss in (*getattr(model, 'losses', ()), *filter(None, adversarial))}
        if self.loss not in losses:
            raise UserError(f'LossRampHook: the model has no loss {self.loss!r}; its losses are '
                            f'{", ".join(losses) or "none"}; name one of them, or remove the hook from custom_hooks')
        self._target, self._full = losses[self.loss], losses[self.loss].weight

    def before_train_iter(self, runner, batch_idx: int, data_batch: dict | Sequence | None = None) -> None:
        progress = (runner.iter - self.begin) / (self.end - self.begin)
        fraction = self.start + (1 - self.start) * min(1.0, max(0.0, progress))
        self._target.weight = self._full * fraction

    def after_train(self, runner) -> None:
        self._target.weight = self._full
