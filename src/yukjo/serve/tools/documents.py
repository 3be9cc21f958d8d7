"""`document_search`: the passages of the project's documents that a question is about."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from yukjo.serve.tools.quoting import inline, notice, quoted
from yukjo.serve.tools.search import Found, Shelf
from yukjo.serve.tools.tool import Arguments, Result, Source, Tool
from yukjo.words import say

LONGEST = 1000
"""Characters of a question."""


class SearchArguments(Arguments):
    """[document_search]"""

    query: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
    """What to look for, in Korean: a question or a few words."""
    limit: Annotated[int, Field(ge=1, le=10)] = 3
    """Most passages to return."""


class DocumentSearch(Tool[SearchArguments]):
    """Searches the index."""

    name = "document_search"
    arguments = SearchArguments

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @property
    def about(self) -> str:
        """What it does."""
        return say("Search the organisation's documents; returns passages with title and page or"
                   " paragraph. Call it before answering from documents.")  # fmt: skip

    def run(self, asked: SearchArguments) -> Result:
        """The passages, quoted, each under its title and place."""
        found = self._shelf.search("documents", asked.query, limit=asked.limit)
        if not found:
            return Result(tool=self.name, text=say("No document says anything about this."))
        sources = tuple(_source(one) for one in found)
        shown = [f"『{source.title}』 {source.place}:\n{quoted(one.text)}"
                 for source, one in zip(sources, found, strict=True)]  # fmt: skip
        return Result(tool=self.name, text="\n\n".join([notice(), *shown]), sources=sources)

    def by_rule(self, text: str) -> list[dict[str, Any]]:
        """Always: an agent that answers from documents has to look at them."""
        query = text.strip()[:LONGEST].strip()
        return [{"query": query}] if query else []


def _source(found: Found) -> Source:
    page, paragraph = found.page, found.paragraph
    place = say("page {page}", page=page) if page else say("paragraph {number}", number=paragraph)
    return Source(title=inline(found.title), place=place, file=inline(found.file, limit=300))
