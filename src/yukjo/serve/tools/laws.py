"""`legal_reference`: a place in a law as it stood on a day, or the articles about something.

1. The version that counts is the last whose 시행일자 is on or before the day; an article that
   starts later than its law is taken from the version before it.
2. What changes after the day is said beside it, for people plan ahead.
3. A place that the law doesn't have is a fault that says what there is; nothing is guessed.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from yukjo.errors import DataError
from yukjo.korean.citations import Citation, article_label, citations, name_key
from yukjo.korean.days import day_written, days
from yukjo.serve.tools.quoting import inline, notice, quoted
from yukjo.serve.tools.search import DEPTH, Found, Shelf
from yukjo.serve.tools.statutes import Article, Law, Part
from yukjo.serve.tools.tool import Arguments, Result, Source, Tool
from yukjo.words import say

LONGEST = 1000
"""Characters of a question."""
MOST = 5
"""Citations answered in one call."""


class LawArguments(Arguments):
    """[legal_reference]"""

    query: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
    """A citation, as `「법률명」 제10조의2제1항제3호`, or what the law should be about."""
    on: date | None = None
    """The day asked about, as 2026-03-02; today where it is left out."""
    limit: Annotated[int, Field(ge=1, le=10)] = 3
    """Most articles that a search returns."""


class LegalReference(Tool[LawArguments]):
    """Reads laws from the index."""

    name = "legal_reference"
    arguments = LawArguments

    def __init__(self, shelf: Shelf, today: Callable[[], date] | None = None) -> None:
        self._shelf = shelf
        self._today = today or (lambda: datetime.now().astimezone().date())

    @property
    def about(self) -> str:
        """What it does."""
        return say("Look up a law by citation, or search laws; returns the text in force on the"
                   " day asked about, and changes to come.")  # fmt: skip

    def run(self, asked: LawArguments) -> Result:
        """The places cited, if a citation stands in the query; else a search."""
        laws = self._shelf.laws()
        day = asked.on or self._today()
        cited = _cited(asked.query, laws.values())
        if cited:
            places = [_looked_up(citation, laws, day) for citation in cited[:MOST]]
        else:
            found = self._shelf.search("laws", asked.query, limit=DEPTH)
            places = _in_force(found, laws, day)[: asked.limit]
        if not places:
            return Result(tool=self.name, text=say("No law in force says anything about this."))
        return Result(
            tool=self.name,
            text="\n\n".join([notice(), *(text for text, _, _ in places)]),
            sources=tuple(source for _, source, _ in places),
            extra={"on": day.isoformat(), "places": [about for _, _, about in places]},
        )

    def by_rule(self, text: str) -> list[dict[str, Any]]:
        """Always: `run` looks up a citation or searches. A day named in the text is the day."""
        query = text.strip()[:LONGEST].strip()
        named = days(query)
        on = {"on": named[0].isoformat()} if named else {}
        return [{"query": query, **on}] if query else []


_Place = tuple[str, Source, dict[str, Any]]
"""A text for the model, its source, and the same for programs."""


def _cited(text: str, laws: Iterable[Law]) -> list[Citation]:
    known = {name for law in laws for name in (law.name, law.short) if name}
    return list(dict.fromkeys(citations(text, known)))


def versions(laws: dict[str, Law], name: str) -> list[tuple[str, Law]]:
    """File and law of all versions of the law called so, the earliest first."""
    key = name_key(name)
    same = [(file, law) for file, law in laws.items()
            if key and key in {name_key(law.name), name_key(law.short)}]  # fmt: skip
    return sorted(same, key=lambda one: one[1].effective)


def _looked_up(citation: Citation, laws: dict[str, Law], day: date) -> _Place:
    """The place cited, as it stood on `day`."""
    every = versions(laws, citation.law)
    if not every:
        raise _missing(citation, say("no law of that name is kept"), _names(laws))
    return _placed(citation, _standing(citation, every, day), every, day)


def _standing(
    citation: Citation, every: list[tuple[str, Law]], day: date
) -> tuple[str, Law, Article]:
    """The version whose wording of the article holds on `day`."""
    current = [(file, law) for file, law in every if law.effective <= day]
    not_yet = say("it is not in force on {day}", day=day_written(day))
    if not current:
        first = day_written(every[0][1].effective)
        raise _missing(citation, not_yet, say("it takes effect on {day}", day=first))
    last = current[-1][1]
    if last.article(citation.article, citation.branch) is None:
        known = ", ".join(article.label for article in last.articles[:40])
        raise _missing(citation, say("the law has no such article"),
                       say("it has: {known}", known=known))  # fmt: skip
    for file, law in reversed(current):
        article = law.article(citation.article, citation.branch)
        if article is not None and law.starts(article) <= day:
            return file, law, article
    raise _missing(citation, not_yet, say("ask about a later day"))


def _placed(
    citation: Citation,
    standing: tuple[str, Law, Article],
    every: list[tuple[str, Law]],
    day: date,
) -> _Place:
    """The place in the version that stands, beside what other versions say there."""
    file, law, article = standing
    text = article.at(citation)
    if text is None:
        known = ", ".join(_label(part) for part in article.parts[:40])
        raise _missing(citation, say("the article has no such place"),
                       say("it has: {known}", known=known or "-"))  # fmt: skip
    place = replace(citation, law=law.name)
    others = _others(place, law, every)
    began = law.starts(article)
    head = say("{place}, as in force on {day} (since {since})", place=_named(place, article),
               day=day_written(day), since=day_written(began))  # fmt: skip
    coming = [f"{say('From {day} it reads:', day=day_written(start))}\n{quoted(other)}"
              for start, other in others if start > day]  # fmt: skip
    about = {
        "citation": str(place),
        "since": began.isoformat(),
        "versions": [
            {"since": start.isoformat(), "text": wording}
            for start, wording in sorted([*others, (began, text)])
        ],
    }
    source = Source(title=inline(law.name), place=place.place, file=inline(file, limit=300))
    return "\n".join([f"{head}:", quoted(text), *coming]), source, about


def _others(place: Citation, law: Law, every: list[tuple[str, Law]]) -> list[tuple[date, str]]:
    """Day and wording of the same place in other versions, where it differs from its neighbour."""
    found: list[tuple[date, str]] = []
    for _, other in every:
        article = other.article(place.article, place.branch)
        text = article.at(place) if article else None
        if article is not None and text is not None:
            found.append((other.starts(article), text))
    own = law.article(place.article, place.branch)
    assert own is not None, "the place was found in this law"
    kept = own.at(place)
    return [(start, text) for start, text in dict.fromkeys(found)
            if text != kept and start != law.starts(own)]  # fmt: skip


def _in_force(found: list[Found], laws: dict[str, Law], day: date) -> list[_Place]:
    """What a search found, in the wording of `day`; what doesn't hold then is left out."""
    places: dict[tuple[str, str], _Place] = {}
    for one in found:
        law = laws[one.file]
        article = law.articles[(one.paragraph or 1) - 1]
        citation = Citation(law.name, article.number, article.branch)
        every = versions(laws, law.name)
        try:
            standing = _standing(citation, every, day)
        except DataError:  # it isn't in force on that day
            continue
        if not standing[-1].deleted and (law.name, article.label) not in places:
            places[law.name, article.label] = _placed(citation, standing, every, day)
    return list(places.values())


def _named(place: Citation, article: Article) -> str:
    title = f"({inline(article.title)})" if article.title else ""
    return f"「{inline(place.law)}」 {place.place}{title}"


def _label(part: Part) -> str:
    """`제1항제2호가목`."""
    whole = Citation("", 1, 0, part.paragraph, part.item, part.item_branch, part.subitem)
    return whole.place.removeprefix(article_label(1, 0))


def _missing(citation: Citation, what: str, fix: str) -> DataError:
    return DataError(what, where=inline(str(citation)), fix=inline(fix, limit=600))


def _names(laws: dict[str, Law]) -> str:
    names = sorted({law.name for law in laws.values()})
    return say("laws kept: {known}", known=", ".join(names[:20]) or "-")
