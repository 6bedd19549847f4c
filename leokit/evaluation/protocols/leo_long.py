# LEO's protocol for long videos (arXiv 2305.03989): 128 consecutive frames.
_base_ = ['./leo.py']

protocol = dict(name='leo_long', clips=dict(length=128))
