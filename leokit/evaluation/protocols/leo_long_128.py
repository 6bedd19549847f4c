# LEO's protocol for long videos at 128x128, the resolution at which its tables also list TaichiHD.
_base_ = ['./leo_long.py']

protocol = dict(name='leo_long_128', frames=dict(resolution=128))
