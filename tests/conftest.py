"""Shared by all tests: one thread for torch, small trained-like models, and videos made on the fly."""

import torch
from support.model_fixtures import animator, motion_diffusion, images, start_code, start_frame  # noqa: F401
from support.video_fixtures import clips, own_cache, video_folder  # noqa: F401

torch.set_num_threads(1)  # tests of tiny tensors run no slower and leave the other cores alone
