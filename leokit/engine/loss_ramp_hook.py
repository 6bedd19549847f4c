"""Let a loss come in slowly."""

from typing import Sequence

from mmengine.hooks import Hook

from leokit.registry import HOOKS
from leokit.utils import UserError
from leokit.utils.modules import unwrap_model


@HOOKS.register_module()
class LossRampHook(Hook):
    """Raise the weight of a loss from a share of it to all of it.

    Deep features of a sharp picture hardly change when the picture moves by a little, and a lot when it is distorted:
    at full weight from the first iteration on, a perceptual loss holds an animator that starts as a copy of its source
    at standing still. The weight is a function of the iteration, so a resumed training is the uninterrupted one.

    Args:
        loss (str): The ``name`` of one of the model's ``losses``.
        end (int): The iteration from which on it has its full weight.
        start (float): The share of it in the first iteration; a loss of weight 0 is not computed.
        begin (int): The iteration up to which it keeps that share.

    Raises:
        UserError: If a number is out of range, or at the start of the training, if the model has no such loss.
    """

    def __init__(self, loss: str, end: int, *, start: float = 0.1, begin: int = 0) -> None:
        if not 0 <= begin < end or not 0 <= start <= 1:
            raise UserError('LossRampHook wants end above begin, begin of at least 0 and start between 0 and 1, got '
                            f'{end}, {begin} and {start}')
        self.loss = loss
        self.end = end
        self.start = start
        self.begin = begin

    def before_train(self, runner) -> None:
        """Find the loss.

        Raises:
            UserError: If the model has no such loss.
        """
        model = unwrap_model(runner.model)
        losses = {loss.name: loss for loss in getattr(model, 'losses', ())}
        if self.loss not in losses:
            raise UserError(f'LossRampHook: the model has no loss {self.loss!r} but {", ".join(losses) or "none"}; '
                            'name one of model.training.losses, or leave the hook out of custom_hooks')
        self._target, self._full = losses[self.loss], losses[self.loss].weight

    def before_train_iter(self, runner, batch_idx: int, data_batch: dict | Sequence | None = None) -> None:
        """Set the weight of this iteration."""
        way = (runner.iter - self.begin) / (self.end - self.begin)
        share = self.start + (1 - self.start) * min(1.0, max(0.0, way))
        self._target.weight = self._full * share

    def after_train(self, runner) -> None:
        """Leave the loss as it was."""
        self._target.weight = self._full
