"""Names of directions of LIA-X's public weights, as its editing page and ``config/manipulation`` state them.

They are entries of the motion code of 40 dimensions, numbered from 0. Names begin with the part of the face that moves,
which the regions ``pose``, ``mouth`` and ``eyes`` are collected by.
"""

PUBLIC_DIMS = (1024, 40)  # appearance and motion of the public weights, scale 2
DIRECTIONS = dict(
    yaw1=37, yaw2=39, pitch=28, roll1=15, roll2=33, neck=31,  # yaw2 turns the shoulders, too
    pout=6, mouth_close=25, mouth_o=16, smile=19,
    eyes_open=13, eyebrows=24, eyeballs1=17, eyeballs2=26)
