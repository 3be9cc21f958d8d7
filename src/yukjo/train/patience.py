"""When an adapter memorises: its held-out loss no longer falls while its training loss does."""

from yukjo.records import Frozen


class Looks(Frozen):
    """What an adapter's losses have shown so far; part of a checkpoint."""

    since: tuple[float, ...] = ()
    """Its training losses at the steps since the last look at held-out loss."""
    at_best: float | None = None
    """Their mean before the look that is the best so far."""
    bad: int = 0
    """Looks since the best at which it memorised."""

    def step(self, loss: float) -> "Looks":
        """After a step with this training loss."""
        return self.model_copy(update={"since": (*self.since, loss)})

    def look(self, *, best: bool) -> "Looks":
        """After a look at held-out loss that was, or was not, a new best.

        A look that is no better counts only while training loss is lower than it was at the best:
        where both stand still, the adapter may yet learn.

        >>> looks = Looks().step(2.0).look(best=True)
        >>> looks.step(1.0).look(best=False).bad, looks.step(2.1).look(best=False).bad
        (1, 0)
        """
        mean = sum(self.since) / len(self.since)
        if best:
            return Looks(at_best=mean)
        memorised = self.at_best is not None and mean < self.at_best
        return Looks(at_best=self.at_best, bad=self.bad + memorised)
