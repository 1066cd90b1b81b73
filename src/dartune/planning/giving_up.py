"""What giving up saves and costs: exact moments under `Target.caps` (pure).

One pass backward over the tries gives every starting point at once: from (n tries, c correct) a query stops where
c = target or n >= caps[c]; else one more try is made, and is right with probability p.
"""

import bisect
from collections.abc import Sequence

import numpy as np

from dartune.planning.tries import Floats, Rest


def until_given_up(caps: Sequence[int], starts: Sequence[int], p: Floats) -> list[Rest]:
    """What is still to come after n tries, for each n of `starts`; arrays of shape (target + 1, len(p)), by correct.

    `caps` is `Target.caps`: its length is the target, and its entries do not fall after the first. Costs up to
    max(caps) * len(caps) * len(p) steps.
    """
    n_last = max(caps)
    # The row of the target itself stays 0: nothing follows it. So does every other, back to its cap.
    moments = np.zeros((len(Rest._fields), len(caps) + 1, len(p)))
    wanted = {n: Rest(*moments.copy()) for n in starts if n >= n_last}
    for n in range(n_last - 1, min(starts, default=0) - 1, -1):
        first_open = bisect.bisect_right(caps, n, lo=1)
        is_unsolved_open = n < caps[0]
        if is_unsolved_open and first_open > 1:
            _one_try_back(moments[:, :2], p)
        _one_try_back(moments[:, 0 if is_unsolved_open and first_open == 1 else first_open :], p)
        if n in starts:
            wanted[n] = Rest(*moments.copy())
    return [wanted[n] for n in starts]


def _one_try_back(moments: Floats, p: Floats) -> None:
    """From the moments after n + 1 tries to those after n, in place, for all rows but the last."""
    right, wrong = moments[:, 1:], moments[:, :-1]
    tries, correct, tries2, cross, correct2, found = p * right + (1.0 - p) * wrong
    correct_if_right, tries_if_right = p * right[1], p * right[0]
    cross += p + correct + tries_if_right
    correct2 += p + 2.0 * correct_if_right
    tries2 += 1.0 + 2.0 * tries
    found[:] = p + (1.0 - p) * wrong[5]
    tries += 1.0
    correct += p
    moments[:, :-1] = tries, correct, tries2, cross, correct2, found
