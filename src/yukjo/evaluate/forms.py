"""The form of official documents, for the agents that write them."""

from yukjo.evaluate.reading import normal, part
from yukjo.korean.documents import FORMS

WRITERS = {"document_writing": "", "review": "[수정안]"}
"""Agents that write documents, and under which heading of the answer the document stands."""


def document_form(agent: str, text: str, reference: str) -> float | None:
    """Share of the forms kept, 0 to 1, of those the reference keeps or the answer breaks.

    None where the agent writes no document, or the reference keeps none; so the reference alone
    decides which cases are measured, and an answer without the form asked for doesn't keep it.

    >>> document_form("document_writing", "11월 7일 14:00", "2025. 11. 7. 14:00")
    0.5
    >>> document_form("rag", "2025. 11. 7.", "2025. 11. 7.") is None
    True
    """
    if agent not in WRITERS:
        return None
    asked, said = _judged(agent, reference), _judged(agent, text)
    kept = {name for name, keeps in asked.items() if keeps}
    judged = kept | {name for name, keeps in said.items() if keeps is False}
    return sum(said[name] is True for name in judged) / len(judged) if kept else None


def _judged(agent: str, text: str) -> dict[str, bool | None]:
    """Every form by its name: kept, broken, or nothing there to judge."""
    heading = WRITERS[agent]
    document = part(normal(text), heading) if heading else normal(text)
    return {name: keeps(document) for name, keeps in FORMS.items()}
