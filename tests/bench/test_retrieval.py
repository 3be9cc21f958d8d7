"""The questions of the retrieval evaluation have one right passage each."""

import runpy
from pathlib import Path

from yukjo.reading.documents import DOCUMENTS
from yukjo.reading.passages import passages
from yukjo.serve.tools.reading import read

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "bench" / "retrieval.py"))


def test_each_answer_stands_in_one_passage_and_in_no_question() -> None:
    files = [path for path in BENCH["DOCUMENTS"].iterdir() if path.suffix in DOCUMENTS]
    said = [
        " ".join(passage.text.split())
        for path in files
        if not path.name.startswith("README")
        for passage in passages(read(path, law=False).blocks)
    ]
    assert len(BENCH["QUESTIONS"]) >= 24
    for question, answer in BENCH["QUESTIONS"]:
        assert sum(answer in text for text in said) == 1, answer
        assert answer not in question


def test_recall_counts_first_places_and_the_first_three() -> None:
    from yukjo.serve.tools.search import Found

    answers = [answer for _, answer in BENCH["QUESTIONS"]]
    wrong = Found("", "", None, 1, "")

    def search(question: str) -> list[Found]:
        number = [asked for asked, _ in BENCH["QUESTIONS"]].index(question)
        right = Found("", "", None, 1, f"앞 {answers[number]} 뒤")
        return [[right], [wrong, right], [wrong] * 3][number % 3]

    assert BENCH["recalls"](search) == (1 / 3, 2 / 3)
