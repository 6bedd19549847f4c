"""Configs and checkpoints of tiny models on disk."""

from pathlib import Path

from leokit.utils.checkpoints import save_checkpoint
from support.tiny_models import (
    MOTION_DIM, SIZE, WINDOW, make_animator, make_motion_diffusion, make_start_code, make_start_frame)

ANIMATOR_CONFIG = f'''
default_scope = 'leokit'
model = dict(type='Animator', size={SIZE}, appearance_dim=32, motion_dim={MOTION_DIM}, max_channels=16)
'''

MOTION_CONFIG = f'''
default_scope = 'leokit'
animator = dict(config=None, checkpoint=None)
model = dict(
    type='MotionDiffusion', motion_dim={MOTION_DIM}, num_frames={WINDOW}, prediction_type='x0',
    sampler=dict(type='DDIMSampler', num_inference_steps=3, eta=1.0),
    backbone=dict(type='UNet1D', channels=(16, 16), num_blocks=1, attention_levels=(), embedding_dim=16, head_dim=8))
'''

START_CODE_CONFIG = f'''
default_scope = 'leokit'
model = dict(
    type='StartCodeDiffusion', motion_dim={MOTION_DIM}, prediction_type='x0',
    sampler=dict(type='DDIMSampler', num_inference_steps=3),
    backbone=dict(type='MLPDenoiser', dim=16, depth=1, embedding_dim=16))
'''

START_FRAME_CONFIG = f'''
default_scope = 'leokit'
model = dict(
    type='StartFrameDiffusion', size={SIZE}, motion_dim={MOTION_DIM}, prediction_type='x0',
    sampler=dict(type='DDIMSampler', num_inference_steps=2),
    backbone=dict(type='UNet2D', channels=(16, 16), num_blocks=1, attention_levels=(), embedding_dim=16, head_dim=8))
'''

LEO_CONFIG = '''
animator = dict(config='{folder}/animator.py', checkpoint='{folder}/animator.pth')
motion_diffusion = dict(config='{folder}/motion.py', checkpoint='{folder}/motion.pth')
start_code = dict(config='{folder}/start_code.py', checkpoint='{folder}/start_code.pth')
start_frame = dict(config='{folder}/start_frame.py', checkpoint='{folder}/start_frame.pth')
start_frame_sr = None
long_video = dict(type='History', context_frames=2)
'''


def write_models(folder: Path, seed: int = 0) -> dict[str, Path]:
    """Write both models; paths by ``animator_config``, ``animator``, ``motion_config`` and ``motion``."""
    animator = make_animator(seed)
    paths = dict(animator_config=folder / 'animator.py', animator=folder / 'animator.pth',
                 motion_config=folder / 'motion.py', motion=folder / 'motion.pth')
    paths['animator_config'].write_text(ANIMATOR_CONFIG)
    paths['motion_config'].write_text(MOTION_CONFIG)
    save_checkpoint(dict(meta=dict(model='Animator'), state_dict=animator.state_dict()), paths['animator'])
    motion_diffusion = make_motion_diffusion(animator.weights_hash())
    save_checkpoint(dict(meta=dict(model='MotionDiffusion'), state_dict=motion_diffusion.state_dict()),
                    paths['motion'])
    return paths


def write_leo(folder: Path) -> Path:
    """Write all models of LEO and a config that names them, whose path is returned."""
    folder.mkdir(exist_ok=True)
    write_models(folder)
    owner = make_animator().weights_hash()
    for name, config, model in (('start_code', START_CODE_CONFIG, make_start_code(owner)),
                                ('start_frame', START_FRAME_CONFIG, make_start_frame(owner))):
        (folder / f'{name}.py').write_text(config)
        save_checkpoint(dict(meta=dict(model=type(model).__name__), state_dict=model.state_dict()),
                        folder / f'{name}.pth')
    (folder / 'leo.py').write_text(LEO_CONFIG.format(folder=folder))
    return folder / 'leo.py'
