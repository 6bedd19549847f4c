# The protocol 'quick' at the size of the quickstart's videos: enlarging them would take most of the time.
_base_ = ['../_base_/protocols/quick.py']
protocol = dict(name='quickstart', frames=dict(resolution=64))
