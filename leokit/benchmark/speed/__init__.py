"""Speed, memory and multiply-adds of the models, on random weights and inputs, on the device at hand."""

from leokit.benchmark.speed.animator import bench_animator, bench_animator_training
from leokit.benchmark.speed.backbones import bench_backbones
from leokit.benchmark.speed.bench import SpeedBench, SpeedOptions
from leokit.benchmark.speed.end_to_end import bench_end_to_end
from leokit.benchmark.speed.extraction import bench_extraction
from leokit.benchmark.speed.first_frame import bench_first_frame
from leokit.benchmark.speed.live import bench_live
from leokit.benchmark.speed.motion_diffusion import bench_motion_diffusion
from leokit.benchmark.speed.multiply_adds import count_multiply_adds
from leokit.benchmark.speed.operators import bench_operators
from leokit.benchmark.speed.preview import bench_preview
from leokit.benchmark.speed.reading import bench_reading
from leokit.benchmark.speed.stage2_training import bench_stage2_training
from leokit.benchmark.speed.start_models import bench_start_models

SECTIONS = dict(
    stage1=bench_animator, training=bench_animator_training, stage2=bench_motion_diffusion,
    stage2_training=bench_stage2_training, backbones=bench_backbones, start=bench_start_models,
    operators=bench_operators, flops=count_multiply_adds, end_to_end=bench_end_to_end, extraction=bench_extraction,
    reading=bench_reading, live=bench_live, preview=bench_preview, first_frame=bench_first_frame)

__all__ = ['SECTIONS', 'SpeedBench', 'SpeedOptions']
