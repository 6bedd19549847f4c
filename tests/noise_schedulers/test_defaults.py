"""Default values, as in the papers."""

from support.signatures import defaults

from leokit.noise_schedulers import (
    CosineNoiseScheduler, EDMNoiseScheduler, FlowMatchingScheduler, LinearNoiseScheduler)


def test_schedules():
    steps = dict(num_train_timesteps=1000)
    plain = dict(steps, rescale_zero_terminal_snr=False)
    assert defaults(LinearNoiseScheduler) == dict(plain, start=1e-4, end=0.02)  # DDPM, section 4
    assert defaults(CosineNoiseScheduler) == dict(plain, offset=0.008, max_beta=0.999)  # improved DDPM, section 3.2
    assert defaults(EDMNoiseScheduler) == dict(steps, sigma_min=0.002, sigma_max=80.0, rho=7.0)  # EDM, table 1
    assert defaults(FlowMatchingScheduler) == dict(steps, shift=1.0)
