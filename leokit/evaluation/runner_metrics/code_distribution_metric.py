"""Whether drawn motion codes are distributed like real ones."""

from typing import Any, Sequence

import torch
from mmengine.evaluator import BaseMetric

from leokit.metrics.fvd import frechet_terms
from leokit.registry import METRICS
from leokit.utils import UserError


@METRICS.register_module()
class CodeDistribution(BaseMetric):
    """Fréchet distance of single codes, read next to that of two halves of the real ones.

    Predictions hold ``generated`` and ``real``, codes (N,), and ``name``, the video of the real one. Keys:

    - ``frechet``: distance of all drawn codes from all real ones, in squared units of the codes.
    - ``frechet_relative``: the same over the real codes' total variance; 1 is as far as one point is.
    - ``real_frechet_relative``: of every other real video from the rest. Videos differ from each other, so a perfect
      model scores above 0; this is how far. Only where there are several videos.
    - ``std_ratio``: root of drawn over real total variance; below 1 the draws are too much alike.

    Args:
        collect_device (str): 'cpu' or 'gpu', where results of processes are put together.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'codes'

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep a batch of codes.

        Raises:
            UserError: If a prediction is not one code.
        """
        columns = {key: torch.stack([sample[key].detach().float().cpu() for sample in data_samples])
                   for key in ('generated', 'real')}
        shapes = [tuple(codes.shape[1:]) for codes in columns.values()]
        if shapes[0] != shapes[1] or len(shapes[0]) != 1:
            raise UserError(f'CodeDistribution got codes of shape {shapes[0]} and {shapes[1]}; it needs single codes '
                            '(N,), as StartCodeDiffusion predicts them')
        names = [str(sample.get('name', '')) for sample in data_samples]
        self.results.extend(zip(names, *(codes.tolist() for codes in columns.values())))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compare the distributions."""
        names, generated, real = (list(column) for column in zip(*results))
        generated, real = torch.tensor(generated), torch.tensor(real)
        terms = frechet_terms(generated, real)
        variance = float(terms.trace_b)
        metrics = dict(frechet=float(terms.distance), samples=len(results))
        if variance == 0:
            return metrics
        metrics['frechet_relative'] = float(terms.distance) / variance
        metrics['std_ratio'] = (float(terms.trace_a) / variance)**0.5
        places = {name: place for place, name in enumerate(sorted(set(names)))}
        if len(places) > 1:
            first = torch.tensor([places[name] % 2 == 0 for name in names])
            metrics['real_frechet_relative'] = float(frechet_terms(real[first], real[~first]).distance) / variance
        return metrics
