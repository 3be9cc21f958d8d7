"""The version of a set is its content; a diff says what became of every sample."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toys import Yukjo
from yukjo.data.versions import diff, version
from yukjo.data.word_diff import MOST_WORDS, marked, word_diff
from yukjo.records import Sample


def sample(
    instruction: str, output: str = "접수한 날부터 7일 안에 답합니다.", **more: Any
) -> Sample:
    return Sample(**({"instruction": instruction, "output": output, "agent_type": "rag"} | more))


A, B, C = (
    sample("처리 기간은?"),
    sample("수수료는?", "없습니다."),
    sample("어디서?", "민원실입니다."),
)


def test_order_repeats_and_labels_are_no_part_of_a_version() -> None:
    assert version([A, B]) == version([B, A, A.model_copy(update={"id": "a", "topic": "행정"})])
    assert version([A, B]) != version([A])
    assert version([A]) != version([A.model_copy(update={"agent_type": "review"})])


def test_a_sample_is_added_or_removed() -> None:
    found = diff([A, B], [A, C])
    assert (found.added, found.removed, found.changed) == ((C,), (B,), ())
    counts = found.agents["rag"].model_dump()
    assert counts == {
        "before": 2,
        "after": 2,
        "unchanged": 1,
        "added": 1,
        "removed": 1,
        "changed": 0,
    }


def test_a_new_answer_to_the_same_question_is_a_change_word_by_word() -> None:
    later = sample(A.instruction, "접수한 날부터 14일 안에 답해 드립니다.")
    (change,) = diff([A], [later]).changed
    assert (change.by, change.fields) == ("question", ("output",))
    assert (
        marked(change.answer)
        == "접수한 날부터 [-7일-]{+14일+} 안에 [-답합니다.-]{+답해 드립니다.+}"
    )


def test_an_id_pairs_what_has_nothing_else_in_common() -> None:
    one, other = sample("처리 기간은?", id="r1"), sample("수수료는?", "없습니다.", id="r1")
    (change,) = diff([one], [other]).changed
    assert (change.by, change.fields) == ("id", ("instruction", "output"))


def test_the_nearest_text_is_the_one_that_was_changed() -> None:
    one = sample("여권을 새로 만들려면 어디로 가야 하나요?")
    near = sample("여권을 새로 만들려면 어디에 가야 합니까?")
    far = sample("강아지를 잃어버렸는데 어디에 신고하나요?", "동물보호센터에 먼저 전화해 보세요.")
    found = diff([one, A], [far, near, A])
    (change,) = found.changed
    assert (change.before, change.after, change.by) == (one, near, "nearness")
    assert found.added == (far,)


def test_another_agents_sample_is_not_near() -> None:
    found = diff([A], [sample("처리 기간은요?", agent_type="review")])
    assert (len(found.added), len(found.removed)) == (1, 1)


def test_labels_alone_are_no_change() -> None:
    found = diff([A], [A.model_copy(update={"difficulty": "쉬움", "id": "r1"})])
    assert found.version_before == found.version_after
    assert found.relabelled[0].fields == ("id", "difficulty")
    assert found.agents["rag"].unchanged == 1


def test_what_moved_to_another_agent_is_its_old_ones_change() -> None:
    one = A.model_copy(update={"id": "r1"})
    found = diff([one], [one.model_copy(update={"agent_type": "review"})])
    assert found.changed[0].fields == ("agent_type",)
    assert found.agents["rag"].changed == 1
    assert found.agents["review"].after == 1


words = st.lists(st.sampled_from(["처리", "기간은", "7일", "입니다.", "\n"]), max_size=12).map(
    " ".join
)
sets = st.lists(
    st.builds(sample, words.filter(str.strip), words.filter(str.strip),
              id=st.none() | st.sampled_from("abc")), max_size=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(before=sets, after=sets)
def test_every_sample_is_accounted_for_once(before: list[Sample], after: list[Sample]) -> None:
    found = diff(before, after)
    old, new = {s.hash for s in before}, {s.hash for s in after}
    gone = [s.hash for s in found.removed] + [c.before.hash for c in found.changed]
    fresh = [s.hash for s in found.added] + [c.after.hash for c in found.changed]
    assert sorted(gone) == sorted(old - new)
    assert sorted(fresh) == sorted(new - old)
    back = diff(after, before)
    assert (back.version_before, len(back.changed)) == (found.version_after, len(found.changed))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    before=st.text(alphabet="가나 다\n라.", max_size=40),
    after=st.text(alphabet="가나 다\n라.", max_size=40),
)
def test_the_pieces_make_both_texts(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert "".join(p.text for p in pieces if p.fate != "new") == before
    assert "".join(p.text for p in pieces if p.fate != "gone") == after


def test_a_particle_that_changed_is_marked_alone() -> None:
    assert (
        marked(word_diff("담당자가 답합니다.", "담당자는 답합니다."))
        == "담당자[-가-]{+는+} 답합니다."
    )


def test_a_number_is_marked_whole() -> None:
    before, after = "평일11:30~13:00에 운영하며", "평일11:30~13:30에 운영하며"
    assert marked(word_diff(before, after)) == "평일11:30~[-13:00-]{+13:30+}에 운영하며"


def test_long_texts_are_compared_by_their_ends_and_shown_in_part() -> None:
    before = "가 " * MOST_WORDS + "나 " + "다 " * MOST_WORDS
    pieces = word_diff(before, before.replace("나", "라"))
    assert marked(pieces, around=5) == "… 가 가 [-나-]{+라+} 다 다 …"


# From outside


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    made = []
    changed = A.model_copy(update={"output": "접수한 날부터 14일 안에 답합니다."})
    for name, rows in (("전", [A, B]), ("후", [changed, C])):
        (tmp_path / name).mkdir()
        text = "".join(s.model_dump_json(exclude_defaults=True) + "\n" for s in rows)
        (tmp_path / name / "a.jsonl").write_text(text, "utf-8")
        (tmp_path / name / "b.drafts.jsonl").write_text('{"draft": 1}\n', "utf-8")
        made.append(tmp_path / name)
    return made[0], made[1]


def test_a_diff_can_be_read(folders: tuple[Path, Path], yukjo: Yukjo) -> None:
    said = yukjo("data", "diff", *folders)
    assert said.code == 0
    assert "    접수한 날부터 [-7일-]{+14일+} 안에 답합니다." in said.out
    assert "+ " in said.out
    assert "어디서?" in said.out
    assert "수수료는?" in said.out


def test_a_diff_as_json_has_everything(folders: tuple[Path, Path], yukjo: Yukjo) -> None:
    found = json.loads(yukjo("data", "diff", *folders, "--json").out)
    assert found["agents"]["rag"]["changed"] == 1
    assert [row["hash"] for row in found["added"]] == [C.hash]
    assert ["new", "14일"] in found["changed"][0]["answer"]


def test_the_same_set_has_no_difference(folders: tuple[Path, Path], yukjo: Yukjo) -> None:
    said = yukjo("data", "diff", folders[0], folders[0] / "a.jsonl")
    assert "같습니다" in said.out
