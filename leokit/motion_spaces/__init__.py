"""Motion spaces: how a motion code moves the latent."""

from leokit.motion_spaces.linear_motion_space import LinearMotionSpace, navigate, relative_motion

__all__ = ['LinearMotionSpace', 'navigate', 'relative_motion']
