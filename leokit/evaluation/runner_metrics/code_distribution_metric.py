"""Distance of the distributions of generated and real starting codes, during validation and testing."""

from typing import Any, Sequence

import torch
from mmengine.evaluator import BaseMetric

from leokit.metrics.fvd import frechet_terms
from leokit.registry import METRICS
from leokit.utils import UserError


@METRICS.register_module()
class CodeDistribution(BaseMetric):
    """Fréchet distance of single motion codes, next to that of two halves of the real ones.

    Predictions hold ``generated`` and ``real``, codes (N,), and ``name``, the video of the real one. Keys:

    - ``frechet``: distance of all generated codes from all real ones, in squared units of the codes.
    - ``frechet_relative``: the same over the total variance of the real codes; the value of a single point is 1.
    - ``real_frechet_relative``: of every other real video from the rest. Videos differ from each other, so this, and
      not 0, is the value of a perfect model. Needs several videos.
    - ``std_ratio``: root of the total variance of generated codes over that of real codes; below 1 the generated codes
      have too little variety.

    Args:
        collect_device (str): 'cpu' or 'gpu', where the results of all processes are gathered.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'codes'

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        columns = {key: torch.stack([sample[key].detach().float().cpu() for sample in data_samples])
                   for key in ('generated', 'real')}
        shapes = [tuple(codes.shape[1:]) for codes in columns.values()]
        if shapes[0] != shapes[1] or len(shapes[0]) != 1:
            raise UserError(f'CodeDistribution got codes of shape {shapes[0]} and {shapes[1]}; it needs single codes '
                            '(N,), as StartCodeDiffusion predicts them')
        names = [str(sample.get('name', '')) for sample in data_samples]
        self.results.extend(zip(names, *(codes.tolist() for codes in columns.values())))

    def compute_metrics(self, results: list) -> dict[str, float]:
        names, generated, real = (list(column) for column in zip(*results))
        generated, real = torch.tensor(generated), torch.tensor(real)  # (B, N)
        terms = frechet_terms(generated, real)
        variance = float(terms.trace_b)
        metrics = dict(frechet=float(terms.distance), samples=len(results))
        if variance == 0:
            return metrics
        metrics['frechet_relative'] = float(terms.distance) / variance
        metrics['std_ratio'] = (float(terms.trace_a) / variance)**0.5
        numbers = {name: number for number, name in enumerate(sorted(set(names)))}
        if len(numbers) > 1:
            even = torch.tensor([numbers[name] % 2 == 0 for name in names])
            metrics['real_frechet_relative'] = float(frechet_terms(real[even], real[~even]).distance) / variance
        return metrics
