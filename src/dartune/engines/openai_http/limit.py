"""How many requests one server is given at a time: a search for the number at which it does the most work.

The rate at a limit is estimated as limit x (tokens / seconds) summed over requests that lived under that limit from
start to end, while it was full (Little's law). That is the same for short and long responses of a server whose tokens
take alike, so a window of as many requests as the limit is enough, and a server that queues what is too much shows a
flat rate. The limit doubles as long as the rate grows by `WORTH`; then it stays at the best one and now and then tries
one of `STEPS`, more and more rarely while none is better by `BETTER`.

A server that refuses more than a few requests because it is given too much ends a step or a doubling at once; where it
refuses at the limit that was kept, that is cut. A few are no reason: there are proxies that refuse at any limit, and a
search that gave way to each would end at one request in flight.
"""

from typing import Literal

START = 32
MOST = 8192
WORTH = 1.05
"""A doubling must raise the rate by this factor to be kept."""
STEPS = (1.25, 1 / 1.25, 1.1, 1 / 1.1, 1.04, 1 / 1.04)
"""Factors that are tried in turn; one that helped is tried again at once."""
BETTER = 1.02
"""A step must raise the rate by this factor to be kept."""
CUT = 0.9
"""What is left of the limit that was kept when the server refuses there."""
TOLERATED = 0.2
"""Share of the requests at one limit that may be refused ..."""
_FREE_REFUSALS = 2
"""... beside these."""
_LEAST_WINDOW = 24
_HOLD = 4
"""Windows at a limit between two steps; doubles when all have failed ..."""
_MOST_HOLD = 64
"""... up to this."""
_MEMORY = 0.3
"""Weight of the newest window in the rate that the kept limit is known for."""


class Limit:
    """The search at one server; it owns no clock."""

    def __init__(self, fixed: int | None = None, most: int = MOST) -> None:
        """Search from `START` up to `MOST`, or keep to `fixed`; never beyond `most`."""
        self._is_fixed = fixed is not None
        self._most = max(1, most if fixed is not None else min(most, MOST))
        self.value = min(fixed or START, self._most)
        """Requests that the server may be given now."""
        self.version = 0
        """Changes with the value: a request belongs to the version that it started under."""
        self._kept, self._kept_rate = self.value, 0.0
        self._phase: Literal["double", "hold", "step"] = "double"
        self._step = 0
        self._hold = self._held = _HOLD
        self._tokens = self._seconds = 0.0
        self._n = self._n_started = self._n_refused = 0

    def started(self) -> int:
        """Count a request that is sent now; gives back the version that it belongs to."""
        self._n_started += 1
        return self.version

    def ended(self, *, n_tokens: int, seconds: float, version: int, was_full: bool) -> None:
        """Take one response into account: its tokens, how long it took, and what it started under."""
        if self._is_fixed or version != self.version or not was_full:
            return
        self._tokens += max(1, n_tokens)
        self._seconds += seconds
        self._n += 1
        if self._n >= max(_LEAST_WINDOW, self.value) and self._seconds > 0:
            rate = self.value * self._tokens / self._seconds
            self._tokens = self._seconds = 0.0
            self._n = 0
            self._decide(rate)

    def refused(self, *, seconds: float, version: int) -> None:
        """The server refused a request that started under `version`, and a place was of no use for `seconds`."""
        if self._is_fixed or version != self.version:
            return
        self._seconds += seconds
        self._n_refused += 1
        if self._n_refused <= _FREE_REFUSALS + TOLERATED * self._n_started:
            return
        if self._phase == "hold" or self.value == self._kept:
            self._keep(max(1, int(self.value * CUT)), 0.0)
        elif self._phase == "double":
            self._keep(self._kept, self._kept_rate)
        else:
            self._fail_step()

    def _decide(self, rate: float) -> None:
        if self._phase == "double":
            if rate > self._kept_rate * WORTH and self.value < self._most:
                self._kept, self._kept_rate = self.value, rate
                self._set(self.value * 2)
            elif rate > self._kept_rate:
                self._keep(self.value, rate)
            else:
                self._keep(self._kept, self._kept_rate)
        elif self._phase == "hold":
            self._kept_rate = rate if not self._kept_rate else self._kept_rate + _MEMORY * (rate - self._kept_rate)
            self._held -= 1
            if self._held <= 0:
                self._phase = "step"
                self._set(self._stepped())
        elif rate > self._kept_rate * BETTER:
            self._hold = _HOLD
            self._kept, self._kept_rate = self.value, rate
            self._set(self._stepped())
        else:
            self._fail_step()

    def _fail_step(self) -> None:
        self._step = (self._step + 1) % len(STEPS)
        self._hold = min(_MOST_HOLD, self._hold * 2) if self._step == 0 else self._hold
        self._keep(self._kept, self._kept_rate)

    def _stepped(self) -> int:
        stepped = round(self._kept * STEPS[self._step])
        return stepped if stepped != self._kept else self._kept + (1 if STEPS[self._step] > 1 else -1)

    def _keep(self, value: int, rate: float) -> None:
        self._kept, self._kept_rate = value, rate
        self._phase, self._held = "hold", self._hold
        self._set(value)

    def _set(self, value: int) -> None:
        self.value = min(max(1, value), self._most)
        self.version += 1
        self._tokens = self._seconds = 0.0
        self._n = self._n_started = self._n_refused = 0
