"""Review of samples by people before they are trained on (G4, G9): assign, approve, return.

Another thing than `yukjo.review`, where people rate answers blind. Here they see a sample whole
and say whether it may be learned from. All that is said stands in the ledger as entries of kind
`data-review` (`book`); who may say what is decided at the desk (`desk`); `checklist` puts it
beside what the program finds. What a page or a command needs:

    with open_ledger(project, config) as ledger:
        desk = Desk(ledger)
        reviewer = desk.reviewer(token)
        for subject in desk.waiting(reviewer):
            desk.approve(reviewer, subject.hash, confirmed=ITEMS)
"""

from yukjo.data_review.book import KIND, Book
from yukjo.data_review.desk import Desk
from yukjo.data_review.export import csv_text
from yukjo.data_review.records import (
    ITEMS,
    LONGEST_REASON,
    TWO_PEOPLE,
    Item,
    Said,
    Standing,
    Subject,
    Verdict,
)

__all__ = [
    "ITEMS", "KIND", "LONGEST_REASON", "TWO_PEOPLE", "Book", "Desk", "Item", "Said", "Standing",
    "Subject", "Verdict", "csv_text",
]  # fmt: skip
