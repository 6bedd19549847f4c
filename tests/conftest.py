"""What all tests share: one thread for torch. Tests of tiny tensors run no slower and leave the other cores alone."""

import torch

torch.set_num_threads(1)
