"""What all tests share: one thread for torch, so that tests of tiny tensors leave the other cores to their neighbours."""

import torch

torch.set_num_threads(1)
