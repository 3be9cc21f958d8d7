"""Where samples are handed in, given out, approved and returned; every word goes to the ledger.

1. What is decided is decided in one turn to write, on all that stands in the ledger by then: two
   processes can't both take what only one may have. A decision is on disk when its function
   returns; said again it is the same entry, not a second one.
2. A reviewer decides on what was assigned to them, never on what they wrote or brought in.
3. To approve is to confirm every item that the sample is asked for; what can't be confirmed is
   returned with a reason. Who erred says so again: their last word counts.
4. No text of a sample goes into the ledger, but reasons do: they can't be taken out again.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from yukjo.data_review.book import KIND, Book
from yukjo.data_review.records import (
    ITEMS,
    LONGEST_REASON,
    Decision,
    Item,
    Said,
    Standing,
    Subject,
    Verdict,
)
from yukjo.errors import ReviewError
from yukjo.ledger.store import Ledger
from yukjo.records import Sample
from yukjo.review.keys import holder, new_token, token_hash
from yukjo.words import say

_CHUNK = 1_000
"""Samples in one entry."""

_SHORTEST = 8
"""Characters of a hash by which a sample can be named."""


class _Nothing(Exception):
    """There is nothing to add to the ledger."""


class Desk:
    """A review of samples, over an open ledger. For one thread; processes may have one each."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._book = Book()

    @property
    def book(self) -> Book:
        """What the ledger says by now."""
        self._book.take(self._ledger.since(KIND, self._book.read))
        return self._book

    def enrol(self, count: int) -> tuple[str, ...]:
        """Tokens of `count` more reviewers; they are told here and never again."""
        tokens: tuple[str, ...] = ()

        def added(book: Book) -> dict[str, Any]:
            nonlocal tokens
            first = len(book.reviewers) + 1
            names = [f"r{number}" for number in range(first, first + count)]
            tokens = tuple(map(new_token, names))
            return {"added": dict(zip(names, map(token_hash, tokens), strict=True))}

        self._write("reviewers", added)
        return tokens

    def reviewer(self, token: str) -> str:
        """The pseudonym that goes with a token; ReviewError where none does."""
        name = holder(self.book.reviewers, token)
        if name is None:
            raise ReviewError(
                say("this reviewer's token is not known here"),
                where="--reviewer",
                fix=say("use the token given out for this project;"
                        " `yukjo data review start --reviewers 1` makes another"),
            )  # fmt: skip
        return name

    def hand_in(self, samples: Iterable[Sample], authors: Sequence[str] = ()) -> list[Subject]:
        """Put samples before the reviewers; those that are new, or new versions, are returned.

        A sample with the name of an earlier one and another content replaces it.
        """
        self._refuse_unknown(authors)
        every, made = list(samples), []
        for start in range(0, len(every), _CHUNK):
            chunk = every[start : start + _CHUNK]
            fresh: list[Subject] = []

            def handed(book: Book, chunk: list[Sample] = chunk) -> dict[str, Any]:
                nonlocal fresh
                fresh = _fresh(book, chunk, authors)
                if not fresh:
                    raise _Nothing
                return {"samples": [one.model_dump(mode="json") for one in fresh]}

            self._write("samples", handed)
            made += fresh
        return made

    def assign(
        self,
        reviewers: Sequence[str] = (),
        *,
        agents: Collection[str] = (),
        samples: Collection[str] = (),
        most: int | None = None,
    ) -> dict[str, list[str]]:
        """Give out samples that wait, to those who have least to do: reviewer -> hashes.

        To `reviewers`, else to all; of `agents` and `samples` (hashes or names), else of all;
        `most` bounds how many each gets. A sample is given to as many as must approve it.
        """
        self._refuse_unknown(reviewers)
        given: dict[str, list[str]] = {}

        def told(book: Book) -> dict[str, Any]:
            nonlocal given
            wanted = [s for s in book.standings() if _asked_for(s, agents, samples)]
            given = _given(book, wanted, reviewers or tuple(book.reviewers), most=most)
            if not given:
                raise _Nothing
            return {"given": given}

        self._write("assign", told)
        return given

    def release(self, reviewer: str) -> int:
        """Take back what a reviewer has not decided on; how many samples that were."""
        self._refuse_unknown([reviewer])
        count = 0

        def freed(book: Book) -> dict[str, Any]:
            nonlocal count
            count = len(book.undecided(reviewer))
            if not count:
                raise _Nothing
            return {"reviewer": reviewer}

        self._write("release", freed)
        return count

    def waiting(self, reviewer: str) -> list[Subject]:
        """What a reviewer is still to decide on, the next one first."""
        book = self.book
        return [book.subjects[one] for one in book.undecided(reviewer)]

    def approve(self, reviewer: str, sample: str, *, confirmed: Collection[Item]) -> Said:
        """`reviewer` confirms these items of a sample (hash or name); all that it asks for."""
        subject = self.subject(sample)
        missing = [item for item in subject.asked if item not in confirmed]
        if missing:
            raise ReviewError(
                say("not confirmed: {items}", items=", ".join(missing)),
                where=say("sample {name}", name=subject.name),
                fix=say("confirm each with --confirm, or return the sample with a reason"),
            )
        kept = tuple(item for item in ITEMS if item in confirmed)
        return self._decide(reviewer, subject, "approve", kept, "")

    def return_(
        self, reviewer: str, sample: str, *, reason: str, wrong: Collection[Item] = ()
    ) -> Said:
        """`reviewer` sends a sample (hash or name) back to who wrote it."""
        subject = self.subject(sample)
        text = " ".join(reason.split())
        if not text or not text.isprintable() or len(text) > LONGEST_REASON:
            raise ReviewError(
                say("a sample is returned with a reason"),
                where=say("sample {name}", name=subject.name),
                fix=say("say what is wrong, in {most} characters at most: --reason",
                        most=LONGEST_REASON),
            )  # fmt: skip
        kept = tuple(item for item in ITEMS if item in wrong)
        return self._decide(reviewer, subject, "return", kept, text)

    def subject(self, sample: str) -> Subject:
        """A sample by its hash, the start of it, or its name, which means its newest version."""
        book = self.book
        found = [h for h in book.subjects if len(sample) >= _SHORTEST and h.startswith(sample)]
        meant = [book.current[sample]] if sample in book.current else found
        if len(meant) != 1:
            raise ReviewError(
                say("no sample in review is called `{name}`", name=sample),
                where="yukjo data review",
                fix=say("name its id or hash as `yukjo data review next` shows it;"
                        " `yukjo data review start` hands samples in"),
            )  # fmt: skip
        return book.subjects[meant[0]]

    def history(self, sample: str) -> list[Standing]:
        """A sample and its earlier versions, the newest first, with all that was said of each."""
        book, one = self.book, self.subject(sample).hash
        seen: dict[str, Standing] = {}
        while one and one not in seen and one in book.subjects:
            seen[one] = book.standing(one)
            one = seen[one].subject.before
        return list(seen.values())

    def _decide(
        self,
        reviewer: str,
        subject: Subject,
        verdict: Verdict,
        items: tuple[Item, ...],
        reason: str,
    ) -> Said:
        """Write a decision, unless it is this reviewer's last word already."""
        decision = Decision(
            sample=subject.hash, reviewer=reviewer, verdict=verdict, items=items, reason=reason
        )

        def said(book: Book) -> dict[str, Any]:
            _refuse(book, subject, reviewer)
            last = book.last(subject.hash).get(reviewer)
            if last and last.decision == decision:
                raise _Nothing
            return decision.model_dump(mode="json")

        self._write("decide", said)
        return self._book.last(subject.hash)[reviewer]

    def _write(self, event: str, make: Callable[[Book], dict[str, Any]]) -> None:
        """Add an event made of all that stands in the ledger; nothing where `make` has nothing."""
        book = self._book

        def body(fresh: Iterable[Any]) -> dict[str, Any]:
            book.take(fresh)
            return {"event": event} | make(book)

        try:
            entry = self._ledger.reply(KIND, "", after=book.read, make=body)
        except _Nothing:
            return
        book.take([entry])

    def _refuse_unknown(self, reviewers: Sequence[str]) -> None:
        """ReviewError where one of these is no reviewer."""
        known = self.book.reviewers
        for name in reviewers:
            if name not in known:
                raise ReviewError(
                    say("no reviewer is called `{name}`", name=name),
                    where="yukjo data review",
                    fix=say("reviewers: {names}", names=", ".join(known) or "-"),
                )


def _fresh(book: Book, samples: Sequence[Sample], authors: Sequence[str]) -> list[Subject]:
    """The samples that aren't the newest version of their name already."""
    made: dict[str, Subject] = {}
    for sample in samples:
        before = book.current.get(sample.name, "")
        if before == sample.hash:
            continue
        old = book.subjects[before].authors if before else ()
        known = book.subjects[sample.hash].authors if sample.hash in book.subjects else ()
        made[sample.name] = Subject.of(
            sample, before=before, authors=tuple(dict.fromkeys((*known, *old, *authors)))
        )
    return list(made.values())


def _asked_for(one: Standing, agents: Collection[str], samples: Collection[str]) -> bool:
    """Whether a sample waits and is among those to be given out."""
    subject = one.subject
    named = not samples or subject.hash in samples or subject.name in samples
    return one.state == "waiting" and named and (not agents or subject.agent in agents)


def _given(
    book: Book, wanted: Sequence[Standing], reviewers: Sequence[str], *, most: int | None
) -> dict[str, list[str]]:
    """Who gets what: always the one who has least to do and may have it."""
    load = {name: len(book.undecided(name)) for name in reviewers}
    given: dict[str, list[str]] = {name: [] for name in reviewers}
    for one in wanted:
        barred = {*one.assigned, *one.subject.authors}
        for _ in range(one.subject.needed - len(one.assigned)):
            free = [name for name in reviewers if name not in barred]
            free = [name for name in free if most is None or len(given[name]) < most]
            if not free:
                break
            name = min(free, key=lambda name: load[name])
            given[name].append(one.subject.hash)
            load[name] += 1
            barred.add(name)
    return {name: hashes for name, hashes in given.items() if hashes}


def _refuse(book: Book, subject: Subject, reviewer: str) -> None:
    """ReviewError where this reviewer may not decide on this sample."""
    where = say("sample {name}, reviewer {reviewer}", name=subject.name, reviewer=reviewer)
    if reviewer in book.subjects[subject.hash].authors:
        raise ReviewError(
            say("who wrote or brought in a sample can't decide on it"),
            where=where,
            fix=say("leave it to another reviewer: `yukjo data review assign`"),
        )
    if book.current[subject.name] != subject.hash:
        raise ReviewError(
            say("the sample was edited since: its newer version is reviewed"),
            where=where,
            fix=say("ask for it: `yukjo data review next`"),
        )
    if reviewer not in book.assigned.get(subject.hash, ()):
        raise ReviewError(
            say("this sample is not assigned to this reviewer"),
            where=where,
            fix=say("assign it: `yukjo data review assign --reviewer {name}`", name=reviewer),
        )
