"""Which noise belongs to which sample of a training batch."""

import torch
from torch import Tensor

COUPLINGS = ('independent', 'optimal_transport')


@torch.no_grad()
def couple_noise(x0: Tensor, eps: Tensor) -> Tensor:
    """Permute the noise of a batch so that the total squared distance to the data is minimal.

    Minibatch optimal transport (arXiv 2302.00482, section 3.3): paths of different samples cross less, so the learned
    field is straighter and needs fewer sampling steps. Conditions stay with their data. Costs O(B^3) on the CPU and one
    synchronization per batch.

    Args:
        x0 (Tensor): Clean samples, shape (B, ...).
        eps (Tensor): Noise, shaped like ``x0``.

    Returns:
        Tensor: The same noise, row i the one assigned to sample i.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import
    distance = torch.cdist(x0.flatten(1).float(), eps.flatten(1).float()).square()  # (B, B)
    _, order = linear_sum_assignment(distance.cpu().numpy())
    return eps[torch.as_tensor(order, device=eps.device)]
