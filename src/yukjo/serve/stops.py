"""Cut an answer at a stop text, however the text falls into pieces."""

from collections.abc import Sequence


class Cutter:
    """Passes text on up to the first stop text; what may be the start of one is held back.

    >>> cut = Cutter(["끝."])
    >>> cut.feed("마칩니다. 끝"), cut.feed(". 더")
    (('마칩니다. ', False), ('', True))
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._held = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """What may be shown now, and whether a stop text was reached."""
        held = self._held + text
        found = [(at + len(stop), at) for stop in self._stops if (at := held.find(stop)) >= 0]
        if found:
            self._held = ""
            return held[: min(found)[1]], True  # the first to be whole, letter by letter
        keep = max((_overlap(held, stop) for stop in self._stops), default=0)
        self._held = held[len(held) - keep :]
        return held[: len(held) - keep], False

    def rest(self) -> str:
        """What was held back, once nothing more will come."""
        rest, self._held = self._held, ""
        return rest


def _overlap(text: str, stop: str) -> int:
    """Characters at the end of `text` that `stop` may begin with."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
