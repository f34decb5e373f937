"""Several contenders in alternation."""

import statistics
import time

import forms

# What takes so many seconds is not repeated.
LONG = 5.0
# An observation of something short is the median of as many runs as fit this.
SHORT = 0.3


def observe(call, device):
    """Median seconds of a call."""
    runs = []
    begin = time.perf_counter()
    while not runs or time.perf_counter() - begin < SHORT:
        forms.finish(device)
        start = time.perf_counter()
        call()
        forms.finish(device)
        runs.append(time.perf_counter() - start)
    return statistics.median(runs)


class Contender:
    """What is timed: `observe` gives seconds."""

    def __init__(self, name, observe):
        self.name, self.observe, self.seconds, self.slow = name, observe, [], False

    def warm_up(self):
        first = self.observe()
        if first > LONG:
            self.slow, self.seconds = True, [first]

    def median(self):
        return statistics.median(self.seconds)

    def over(self, other):
        """How many times the other's time it takes: the median over the rounds."""
        if self.slow:
            return self.median() / other.median()
        return statistics.median(a / b for a, b in zip(self.seconds, other.seconds))


def alternate(contenders, rounds):
    for contender in contenders:
        contender.warm_up()
    for _ in range(rounds):
        for contender in contenders:
            if not contender.slow:
                contender.seconds.append(contender.observe())
