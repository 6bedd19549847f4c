"""A metric that keeps what it is shown."""

from mmengine.evaluator import BaseMetric

from leokit.registry import METRICS

seen: dict[str, list[dict]] = {}


@METRICS.register_module()
class Recorder(BaseMetric):
    """Keeps what it is shown under a name; counts."""

    def __init__(self, name: str):
        super().__init__(prefix=name)
        self.name = name

    def process(self, data_batch, data_samples):
        seen.setdefault(self.name, []).extend(data_samples)
        self.results.extend(1 for _ in data_samples)

    def compute_metrics(self, results):
        return dict(count=len(results))
