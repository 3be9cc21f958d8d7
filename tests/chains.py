"""A chain project on two tiny models: text in the place of pictures."""

import json
import random
from pathlib import Path

SETTINGS = """
seed = 3
[project]
name = "chain"
[chain]
stages = ["reader", "summariser"]
fields = {{ "종류" = "name", "번호" = "code", "날짜" = "date", "금액" = "amount" }}
phrasings = ["{{종류}}({{번호}})이며 {{날짜}}에 {{금액}}을(를) 받았습니다.",
             "{{날짜}} 자 {{종류}} {{번호}}, 금액은 {{금액}}입니다."]
learn = 6
choose = 4
cases = 6
kept_files = ["kept.jsonl"]
[base]
dtype = "float32"
[lora]
rank = 4
[train]
epochs = 1
batch = 1
accumulate = 1
pack_tokens = 64
learning_rate = 1e-2
evaluate_every = 2
checkpoint_every = 1
max_steps = 2
threads = 1
[evaluate]
cases = 8
repeats = 2
max_tokens = 6
resamples = 200
baseline_cases = 2
[gate]
preset = "chain"
[stage.reader.base]
model = "{reader}"
[stage.reader.data]
files = ["train.jsonl"]
valid_files = ["valid.jsonl"]
test_files = ["test.jsonl"]
[stage.summariser.base]
model = "{summariser}"
[stage.summariser.train]
max_steps = 2
"""
ROLE = """
title = "{title}"
title_en = "{title}"
prompt = "{title} 담당입니다."
rules = ["thousands_separators"]
"""
KINDS = ("확인서", "고지서", "영수증")


def made(place: Path, *, reader: Path, summariser: Path) -> Path:
    """The project in a folder of its own."""
    folder = place / "chain"
    (folder / "roles").mkdir(parents=True)
    for name, title in (("reader", "판독"), ("summariser", "요약")):
        (folder / "roles" / f"{name}.toml").write_text(ROLE.format(title=title), encoding="utf-8")
    settings = SETTINGS.format(reader=reader, summariser=summariser)
    (folder / "yukjo.toml").write_text(settings, encoding="utf-8")
    dice = random.Random(7)
    for side, count in (("train", 8), ("valid", 4), ("test", 9), ("kept", 3)):
        rows = [json.dumps(row(dice, f"{side}-{n}"), ensure_ascii=False) for n in range(count)]
        (folder / f"{side}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def row(dice: random.Random, name: str) -> dict[str, str]:
    """A case: what stands on the paper, and its analysis."""
    values = {
        "종류": dice.choice(KINDS),
        "번호": f"{dice.randrange(10, 99)}-{dice.randrange(1000, 9999)}",
        "날짜": f"2026. {dice.randrange(1, 12)}. {dice.randrange(1, 28)}.",
        "금액": f"{dice.randrange(1, 99) * 100:,}원",
    }
    analysis = "\n".join(f"{field}: {value}" for field, value in values.items())
    return {"id": name, "instruction": "적으세요.", "input": " / ".join(values.values()),
            "output": analysis, "agent_type": "reader", "license": "CC0-1.0"}  # fmt: skip
