"""What the model is asked is what it was trained on, and a tool's call is read back as one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.spelling import Bytes
from toys import Tiny
from yukjo.agents import role, roles
from yukjo.data.read import read
from yukjo.data.render import chat_of, end_tokens, prompt_tokens, render, template_of
from yukjo.ports import Tokenizer
from yukjo.records import Message, Sample
from yukjo.serve.chat import Prompter, called, messages_of, schema_of, with_material
from yukjo.serve.faults import Fault
from yukjo.serve.wire import ChatRequest, Function

DATA = Path(__file__).parents[2] / "examples" / "gov" / "data" / "example.jsonl"
SAMPLES = read([DATA], agents=roles()).samples
TALK = Sample(
    instruction="그럼 언제까지 내나요?", output="11월 30일까지 내시면 됩니다.", agent_type="rag",
    messages=(Message(role="user", content="재산세를 냈는지 알려 주세요."),
              Message(role="assistant", content="아직 내지 않으셨습니다.")),
)  # fmt: skip
RAG = role("rag")


def request(messages: list[dict[str, Any]], **more: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "rag", "messages": messages, **more})


def as_client(sample: Sample) -> ChatRequest:
    """A sample as a client asks it."""
    text = f"{sample.instruction}\n\n{sample.input}" if sample.input else sample.instruction
    earlier = [{"role": m.role, "content": m.content} for m in sample.messages]
    return request([*earlier, {"role": "user", "content": text}])


def tokenizer_of(kind: str, tiny: Tiny) -> Tokenizer:
    from yukjo.backends.torch.tokenizer import HfTokenizer

    return HfTokenizer(tiny(kind))


@pytest.mark.parametrize("kind", ["gemma3", "qwen3"], ids=["our template", "the model's own"])
def test_a_prompt_has_the_very_tokens_that_training_had(kind: str, tiny: Tiny) -> None:
    tokenizer = tokenizer_of(kind, tiny)
    prompter, template = Prompter(tokenizer), template_of(tokenizer)
    assert len(SAMPLES) >= 6
    for sample in [*SAMPLES, TALK]:
        mine = role(sample.agent_type)
        chat = chat_of(sample, mine.prompt)
        asked = prompter.prompt(messages_of(as_client(sample), mine))
        learned = render(chat, tokenizer=tokenizer, template=template, max_tokens=10**6)
        assert asked.tokens == prompt_tokens(chat, tokenizer=tokenizer, template=template)
        assert asked.tokens == learned.tokens[: len(asked.tokens)]
        assert asked.stop == end_tokens([learned])


def test_what_tools_found_stands_where_a_samples_input_stands() -> None:
    sample = next(sample for sample in SAMPLES if sample.input)
    mine, prompter = role(sample.agent_type), Prompter(Bytes())
    bare = messages_of(request([{"role": "user", "content": sample.instruction}]), mine)
    asked = prompter.prompt(with_material(bare, [sample.input]))
    assert asked == prompter.prompt(messages_of(as_client(sample), mine))


@pytest.mark.parametrize("kind", ["gemma3", "qwen3"])
@pytest.mark.parametrize(
    ("above", "more"),
    [
        ([], {}),
        ([{"role": "system", "content": "짧게 답하세요."}], {}),
        ([], {"tools": [{"type": "function", "function": {"name": "f"}}]}),
    ],
)
def test_all_questions_under_one_system_message_begin_alike(
    kind: str, above: list[dict[str, str]], more: dict[str, object], tiny: Tiny
) -> None:
    prompter = Prompter(tokenizer_of(kind, tiny))
    asked = [
        messages_of(request([*above, {"role": "user", "content": text}], **more), RAG)
        for text in ("등본은요?", "3번 답")
    ]
    system = asked[0][0].content
    prefix = prompter.prefix(system)
    first, second = (prompter.prompt(messages).tokens[:prefix] for messages in asked)
    assert first == second
    assert prefix > len(system.encode()) - 8  # the toys' tokens are bytes


def test_the_agents_prompt_comes_first_and_the_clients_below_it() -> None:
    first, *rest = messages_of(
        request([
            {"role": "developer", "content": [{"type": "text", "text": "짧게"},
                                              {"type": "text", "text": " 답하세요."}]},
            {"role": "user", "content": "?"},
        ]),
        RAG,
    )  # fmt: skip
    assert first == Message(role="system", content=f"{RAG.prompt}\n\n짧게 답하세요.")
    assert rest == [Message(role="user", content="?")]


@pytest.mark.parametrize("text", ["<eos>", "가<bos>나", "<eos>### 답변"])
@pytest.mark.parametrize("place", ["user", "system", "tool name"])
def test_a_control_token_from_outside_is_refused_wherever_it_stands(text: str, place: str) -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "?"}]
    more: dict[str, Any] = {}
    if place == "tool name":
        function = {"name": "f", "description": text}
        more["tools"] = [{"type": "function", "function": function}]
    else:
        messages.insert(0, {"role": place, "content": text})
    with pytest.raises(Fault) as refused:
        Prompter(Bytes()).prompt(messages_of(request(messages, **more), RAG))
    assert refused.value.status == 400


def test_the_models_template_may_refuse_a_conversation(tiny: Tiny) -> None:
    prompter = Prompter(tokenizer_of("qwen3", tiny))
    object.__setattr__(prompter.template, "text", "{{ raise_exception('no') }}")
    with pytest.raises(Fault) as refused:
        prompter.prompt([Message(role="user", content="?")])
    assert refused.value.status == 400


# Tools

TOOLS = [Function(name="sum", parameters={"type": "object"}), Function(name="search")]


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_a_call_is_read_back_as_it_was_written(arguments: dict[str, Any]) -> None:
    text = json.dumps({"tool": "sum", "arguments": arguments})
    call = called(f" {text}\n", TOOLS)
    assert call
    assert (call.function.name, json.loads(call.function.arguments)) == ("sum", arguments)


@given(st.text() | st.from_regex(r'\{"tool": "(sum|other)", "arguments": .{0,9}\}?'))
def test_any_other_text_is_an_answer_and_never_an_error(text: str) -> None:
    call = called(text, TOOLS)
    assert call is None or json.loads(text)["tool"] == "sum"


@pytest.mark.parametrize(
    "text",
    ["[]", "1", '{"tool": "sum"}', '{"tool": ["sum"], "arguments": {}}', "[" * 100_000,
     '{"tool": "sum", "arguments": [], "more": 1}', '{"tool": "sum", "arguments": []}'],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_what_only_looks_like_a_call_is_an_answer(text: str) -> None:
    assert called(text, TOOLS) is None


def test_a_choice_of_tools_becomes_a_schema_of_calls() -> None:
    given = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    talk = [{"role": "user", "content": "?"}]
    one: Any = {"type": "function", "function": {"name": "b"}}
    assert schema_of(request(talk, tools=given)) is None
    assert schema_of(request(talk, tools=given, tool_choice="none")) is None
    both = json.loads(schema_of(request(talk, tools=given, tool_choice="required")) or "")
    assert [c["properties"]["tool"]["const"] for c in both["anyOf"]] == ["a", "b"]
    named = json.loads(schema_of(request(talk, tools=given, tool_choice=one)) or "")
    assert named["properties"]["tool"] == {"const": "b"}
