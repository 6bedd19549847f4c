"""The evaluation of the LEO paper end to end, and the validation and test loops that generate videos or frames."""

from leokit.benchmark.generation_test_loop import GenerationTestLoop
from leokit.benchmark.generation_val_loop import GenerationValLoop
from leokit.benchmark.leo_benchmark import LEOBenchmark
from leokit.benchmark.motion_test_loop import MotionTestLoop
from leokit.benchmark.parameter_motion_metric import ParameterMotionStatistics
from leokit.benchmark.prediction_loop import PredictionLoop
from leokit.benchmark.scenario import Scenario
from leokit.benchmark.start_frame_test_loop import StartFrameTestLoop

__all__ = [
    'GenerationTestLoop', 'GenerationValLoop', 'LEOBenchmark', 'MotionTestLoop', 'ParameterMotionStatistics',
    'PredictionLoop', 'Scenario', 'StartFrameTestLoop',
]
