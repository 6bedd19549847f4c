"""The training step with the fused update on a CPU, in Triton's interpreter; on a GPU: test_graphed_step.py."""

import numpy as np
import pytest
import torch
from engine.test_graphed_step import Training, assert_same
from support.triton_interpreter import run_interpreted

from leokit.utils.triton import IS_INSTALLED


@pytest.mark.slow
@pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')
def test_the_step_in_the_interpreter():
    run_interpreted(__file__)


def check(dtype, tolerance):
    usual = Training('cpu', graphed=True, dtype=dtype)
    fused = Training('cpu', graphed=True, dtype=dtype, fused=True)
    np.testing.assert_allclose(fused.run(5), usual.run(5), rtol=tolerance)
    assert fused.step._update.averaged >= {f'backbone.{name}' for name, _ in fused.model.backbone.named_parameters()}
    assert_same(fused, usual, rtol=tolerance, atol=tolerance)
    for weight in fused.model.parameters():
        assert fused.wrapper.optimizer.state[weight]['step'] == 5
        assert weight.dtype == torch.float32 and weight.grad is None
        copy = fused.step._casts and fused.step._casts.copy_of(weight)
        if copy is not None:
            assert copy.grad is None
            # the interpreter truncates where a GPU rounds
            torch.testing.assert_close(copy.float(), weight, rtol=2**-7, atol=0)


if __name__ == '__main__':
    torch.set_num_threads(1)
    check('float32', 1e-5)
    check('bfloat16', 1e-3)
