"""Motion spaces: map an appearance vector and a motion code to the latent of the generator."""

from leokit.motion_spaces.linear_motion_space import LinearMotionSpace, frozen, relative_motion

__all__ = ['LinearMotionSpace', 'frozen', 'relative_motion']
