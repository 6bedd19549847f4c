"""Tab Unconditional: videos of people who do not exist."""

import gradio as gr

from leokit.app.context import AppContext, real_number, whole_number
from leokit.app.jobs import Job, Progress, Result, Updates
from leokit.app.layout import MAX_SEED, Layout, ResultPanel, Toolbar
from leokit.video.frame_rate import DEFAULT_FPS

TAB = 'unconditional'
MIN_GUIDANCE, MAX_GUIDANCE = 0.0, 5.0


def sample(context: AppContext, job: Job, count: int, num_frames: int, seed: int, guidance_scale: float) -> Updates:
    """Generate videos without any input."""
    count = whole_number(count, 'the number of videos', 1, context.limits.max_videos)
    num_frames = whole_number(num_frames, 'the number of frames', 2, context.limits.max_frames)
    seed = whole_number(seed, 'the seed', 0, MAX_SEED)
    guidance_scale = real_number(guidance_scale, 'the guidance scale', MIN_GUIDANCE, MAX_GUIDANCE)
    leo = context.models.leo
    yield Progress('Sampling the first frames')
    with context.turn:
        chunks = leo.unconditional_generator.generate(count, num_frames, seed=seed, guidance_scale=guidance_scale)
    fps = leo.generator.fps or DEFAULT_FPS
    paths = yield from job.write(chunks, [f'{number:04d}.mp4' for number in range(count)], num_frames, fps)
    yield Result(paths, f'{count} {"video" if count == 1 else "videos"} of {num_frames} frames at {fps:.4g} frames per '
                        'second')


def build(layout: Layout) -> None:
    """Lay out the tab."""
    if reason := layout.context.missing('unconditional_generator'):
        layout.unavailable(reason)
        return
    layout.introduction('Appearance and motion are both sampled: none of these people exists. Video number k of a seed '
                        'does not depend on how many are generated.')
    limits, leo = layout.context.limits, layout.context.models.leo
    frames = leo.generator.motion_diffusion.num_frames
    with gr.Row():
        with gr.Column(scale=4):
            count = gr.Slider(1, limits.max_videos, value=min(2, limits.max_videos), step=1, label='Videos',
                              elem_id=f'{TAB}-count')
            with gr.Row():
                num_frames = gr.Number(min(2 * frames, limits.max_frames), label='Frames', precision=0, minimum=2,
                                       maximum=limits.max_frames, elem_id=f'{TAB}-frames')
                seed = gr.Number(0, label='Seed', precision=0, minimum=0, maximum=MAX_SEED, elem_id=f'{TAB}-seed')
            guidance = gr.Slider(
                MIN_GUIDANCE, MAX_GUIDANCE, value=leo.unconditional_generator.start_frame_sampler.base.guidance_scale,
                step=0.1, label='Guidance scale of the first frames', info='1 is no guidance',
                elem_id=f'{TAB}-guidance')
            toolbar = Toolbar(TAB, 'Generate')
            layout.examples([[2, frames, 1, 1.0], [1, min(4 * frames, limits.max_frames), 5, 1.0]],
                            [count, num_frames, seed, guidance], TAB, label='Examples')
        with gr.Column(scale=5):
            panel = ResultPanel(TAB, videos=limits.max_videos)
    inputs = [count, num_frames, seed, guidance]
    layout.command(panel, inputs, lambda count, num_frames, seed, guidance: layout.commands.unconditional(
        count=count, num_frames=num_frames, seed=seed, guidance_scale=guidance))
    layout.run(TAB, toolbar, panel, inputs, sample)
