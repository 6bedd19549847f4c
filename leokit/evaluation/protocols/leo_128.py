# LEO's protocol at 128x128, the resolution at which its tables also list TaichiHD.
_base_ = ['./leo.py']

protocol = dict(name='leo_128', frames=dict(resolution=128))
