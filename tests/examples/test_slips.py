"""The slips of examples/chain: the same seed the same slip, nothing drawn that a font lacks."""

import statistics
from itertools import combinations

import pytest

Image = pytest.importorskip("PIL.Image")

import slips  # noqa: E402 - needs Pillow
import wear  # noqa: E402

DOMAINS = tuple(slips.FAMILIES)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_seed_gives_the_same_slip_again_and_another_seed_another(domain: slips.Domain) -> None:
    first, again, other = (slips.draw(seed, domain) for seed in (1, 1, 2))
    assert first.picture.tobytes() == again.picture.tobytes()
    assert first.facts == again.facts != other.facts
    assert first.picture.tobytes() != other.picture.tobytes()


def test_no_seed_serves_two_ends() -> None:
    for one, other in combinations(slips.SEEDS.values(), 2):
        assert one[-1] < other[0] or other[-1] < one[0]


def test_no_font_of_pretraining_is_among_those_of_the_degraded_slips() -> None:
    assert len(slips.FAMILIES["clean"]) >= 3
    assert len(slips.FAMILIES["degraded"]) >= 2
    assert not set(slips.FAMILIES["clean"]) & set(slips.FAMILIES["degraded"])


@pytest.mark.parametrize("family", [name for names in slips.FAMILIES.values() for name in names])
def test_every_character_has_a_glyph_of_its_own_in_every_font(family: str) -> None:
    face = slips.font(family, 12)
    missing = bytes(face.getmask("\ufffe"))
    shapes = {mark: bytes(face.getmask(mark)) for mark in slips.characters() - {" "}}
    assert all(any(shape) and shape != missing for shape in shapes.values())
    assert len(set(shapes.values())) == len(shapes)


@pytest.mark.parametrize("form", slips.FORMS)
def test_every_form_shows_all_five_facts_inside_the_picture(form: str) -> None:
    shown = [slip for slip in (slips.draw(seed, "clean") for seed in range(150))
             if slip.form == form]  # fmt: skip
    assert len(shown) > 5
    for slip in shown:
        written = "".join(glyph.character for glyph in slip.glyphs)
        assert all(fact.replace(" ", "") in written for fact in slip.facts.values()), slip.facts
        assert all(5 < glyph.x < slips.WIDTH - 3 for glyph in slip.glyphs), (
            slip.family,
            slip.facts,
        )
        assert all(4 < glyph.y < slips.HEIGHT - 3 for glyph in slip.glyphs)


def test_fields_stand_in_more_than_one_order() -> None:
    orders = set()
    for seed in range(200):
        slip = slips.draw(seed, "clean")
        written = "".join(glyph.character for glyph in slip.glyphs)
        places = {name: written.find(fact.replace(" ", "")) for name, fact in slip.facts.items()}
        orders.add((slip.form, tuple(sorted(places, key=lambda name: places[name]))))
    assert len({form for form, _ in orders}) == len(slips.FORMS) >= 4
    assert len(orders) > 40


def test_facts_parse_back_from_the_analysis() -> None:
    for seed in range(50):
        facts = slips.draw(seed, "clean").facts
        assert slips.parse(slips.analysis(facts)) == facts
    assert slips.parse("종류 영수증\n메모: 없음\n부서: 세무과 ") == {"부서": "세무과"}


def test_the_date_and_the_amount_are_written_as_officials_write_them() -> None:
    facts = [slips.draw(seed, "clean").facts for seed in range(200)]
    assert all("-" not in fact["날짜"] and ". 0" not in fact["날짜"] for fact in facts)
    assert all(fact["날짜"].endswith(".") for fact in facts)
    assert any("," in fact["금액"] for fact in facts)


def test_wear_greys_the_paper_and_leaves_the_ink_darker() -> None:
    worn = [slips.draw(seed, "degraded").picture for seed in range(30)]
    clean = [slips.draw(seed, "clean").picture for seed in range(30)]
    assert all(picture.size == (slips.WIDTH, slips.HEIGHT) for picture in worn + clean)
    assert all(picture.getextrema()[0] < 40 for picture in clean)
    medians = [statistics.median(picture.tobytes()) for picture in worn]
    assert 150 < min(medians) < max(medians) < 255
    assert all(picture.getextrema()[0] < median - 60
               for picture, median in zip(worn, medians, strict=True))  # fmt: skip


def test_a_stamp_darkens_and_never_lightens() -> None:
    dice = wear.random.Random(0)
    page = Image.new("L", (slips.WIDTH, slips.HEIGHT), 200)
    stamped = wear.stamped(page, dice, slips.font("square", 12), "접수")
    assert stamped.getextrema()[1] == 200
    assert stamped.getextrema()[0] < 160
