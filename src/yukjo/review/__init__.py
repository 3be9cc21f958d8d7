"""Blind review by people: pairs on sealed sides, ratings, agreement, and when to stop (G11).

A session is drawn (`draw`, `session`), held in a folder (`room`, `keys`, `rating`), counted
(`standing`, `results`, over `estimate`, `krippendorff`, `stopping`, `habits`), handed on
(`export`) and can be checked by anybody (`verify`). What a page or a command needs:

    with Room(find(place, "latest")) as room:
        rater = room.rater(token)
        while pair := room.show(rater):
            room.rate(rater, pair.id, Opinion(left=4, right=2, prefer="left"))
"""

from yukjo.review.draw import Contest, contests
from yukjo.review.export import csv_text
from yukjo.review.keys import enrol, key_file, read_seal
from yukjo.review.rating import KINDS, Opinion, Rating, Sheet, waiting
from yukjo.review.room import LATEST, Room, Started, find, recorded, start
from yukjo.review.session import Pair, Seal, Session, Terms
from yukjo.review.standing import standing
from yukjo.review.verify import faults

__all__ = [
    "KINDS", "LATEST", "Contest", "Opinion", "Pair", "Rating", "Room", "Seal", "Session", "Sheet",
    "Started", "Terms", "contests", "csv_text", "enrol", "faults", "find", "key_file", "read_seal",
    "recorded", "standing", "start", "waiting",
]  # fmt: skip
