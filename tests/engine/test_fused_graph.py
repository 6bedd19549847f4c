"""A training step with the fused update as a recorded graph: what it reads must survive until it is replayed.

Interpreted, this file is a program; real graphs on a GPU: test_graphed_step.py, test_graphed_animator_step.py.
"""

import pytest
import torch
from engine import test_graphed_animator_step as animators
from engine import test_graphed_step as diffusion
from support.recorded_graph import recorded_graphs
from support.triton_interpreter import run_interpreted

from leokit.engine.graphed_step import WARMUP
from leokit.utils.triton import IS_INSTALLED


@pytest.mark.slow
@pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')
def test_replays_in_the_interpreter():
    run_interpreted(__file__)


def check_replays(dtype):
    """A replay repeats the operators of the step with other inputs and noise, so that results are bit for bit equal."""
    eager, graphed = (diffusion.Training('cpu', graphed=True, dtype=dtype, fused=True) for _ in range(2))
    graphed.step._enabled = True
    losses = []
    for iteration in range(WARMUP + 4):
        expected, found = eager.run(1, iteration), graphed.run(1, iteration)
        assert found == expected, f'iteration {iteration}'
        diffusion.assert_same(graphed, eager, rtol=0, atol=0)
        losses += found
        for weight in graphed.model.parameters() if dtype == 'bfloat16' else ():
            copy = graphed.step._casts.copy_of(weight)
            if copy is not None:  # of a replay: the interpreter truncates where a GPU rounds
                is_current = torch.equal(copy, weight.bfloat16()) if iteration < WARMUP else torch.allclose(
                    copy.float(), weight, rtol=2**-7, atol=0)
                assert is_current, f'iteration {iteration}: {tuple(weight.shape)}'
        graphed.step._refresh_casts()
    assert graphed.step._variants[()].graph is not None and len(set(losses)) == len(losses)


def check_variants():
    """Graphs of several kinds of steps, which share memory."""
    eager, graphed = (animators.Training('cpu', graphed=True, captures=captures, fused=True)
                      for captures in (False, True))
    expected, found = eager.run(25), graphed.run(25)  # the last kind of step is captured at 21
    assert found == expected
    assert [variant.graph is not None for variant in graphed.step._variants.values()] == [True] * 4
    for key, tensor in eager.model.state_dict().items():
        torch.testing.assert_close(graphed.model.state_dict()[key], tensor, rtol=0, atol=0)


if __name__ == '__main__':
    from leokit.engine import update_kernels
    torch.set_num_threads(1)
    with recorded_graphs(update_kernels, ('_prepare', '_update')):
        check_replays('float32')
        check_replays('bfloat16')
        for dtype in ('float32', 'bfloat16'):
            diffusion.check_single_steps('cpu', True, dtype)
        check_variants()
