"""What giving up saves and costs: exact moments under `Target.caps` (pure).

One pass backward over the tries gives every starting point at once: from (n tries, c correct) a query stops where
c = target or n >= caps[c]; else one more try is made, and is right with probability p.
"""

from collections.abc import Sequence

import numpy as np

from dartune.planning.tries import Floats, Rest


def until_given_up(caps: Sequence[int], starts: Sequence[int], p: Floats) -> list[Rest]:
    """What is still to come after n tries, for each n of `starts`; arrays of shape (target + 1, len(p)), by correct.

    `caps` is `Target.caps`: its length is the target. Costs max(caps) * len(caps) * len(p) steps.
    """
    target, n_last = len(caps), max(caps)
    bounds = np.asarray([*caps, 0])[:, None]
    q = 1.0 - p
    tries, correct, tries2, cross, correct2, found = np.zeros((6, target + 2, len(p)))
    wanted = {n: Rest(*np.zeros((6, target + 1, len(p)))) for n in starts if n >= n_last}
    for n in range(n_last - 1, min(starts, default=0) - 1, -1):
        is_open = n < bounds
        t1, x1 = p * tries[1:] + q * tries[:-1], p * correct[1:] + q * correct[:-1]
        # The last row stands for "one more than the target" and stays 0.
        new = (
            1.0 + t1,
            p + x1,
            1.0 + 2.0 * t1 + p * tries2[1:] + q * tries2[:-1],
            p * (1.0 + correct[1:] + tries[1:] + cross[1:]) + q * (correct[:-1] + cross[:-1]),
            p * (1.0 + 2.0 * correct[1:] + correct2[1:]) + q * correct2[:-1],
            p + q * found[:-1],
        )
        for array, values in zip((tries, correct, tries2, cross, correct2, found), new, strict=True):
            array[:-1] = np.where(is_open, values, 0.0)
        if n in starts:
            wanted[n] = Rest(*(array[:-1].copy() for array in (tries, correct, tries2, cross, correct2, found)))
    return [wanted[n] for n in starts]
