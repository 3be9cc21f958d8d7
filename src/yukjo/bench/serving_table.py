"""The figures of `yukjo bench serve` for people: what each side reached, then ours against aims."""

from rich.table import Table

from yukjo.bench.serving import ServeBench
from yukjo.words import say

_COLUMNS = ("adapter_load_s", "switch_warm_s", "ttft_cold_s", "ttft_restored_s")
_MS = 1000


def table(made: ServeBench) -> Table:
    """A row a side."""
    drawn = Table(*headings())
    for row in rows(made):
        drawn.add_row(*row)
    return drawn


def markdown(made: ServeBench) -> str:
    """The same as Markdown, and the figures below it."""
    lines = [headings(), ["---"] + ["---:"] * (len(headings()) - 1), *rows(made)]
    drawn = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return drawn + "\n\n" + "".join(f"- {line}\n" for line in summary(made))


def headings() -> list[str]:
    """Of the columns."""
    return [
        say("side"), say("load ms"), say("switch ms"), say("first token ms, cold"),
        say("first token ms, restored"), say("decoding, tokens/s"),
    ]  # fmt: skip


def rows(made: ServeBench) -> list[list[str]]:
    """A row a side; a dash where it has no such thing."""
    return [
        [
            name,
            *(f"{_MS * side[key]:,.2f}" if key in side else "-" for key in _COLUMNS),
            f"{side['decode_tokens_per_s']:,.1f}",
        ]
        for name, side in made.sides.items()
    ]


def _with_tools(made: ServeBench) -> list[str]:
    cold, restored = made.tools_ttft_cold_ms, made.tools_ttft_restored_ms
    if cold is None or restored is None:
        return []
    return [
        say("with the agent's tools offered: {restored:.0f} ms restored, {cold:.0f} ms cold,"
            " {share:.2f} of it ({prefix:.0f} of {prompt:.0f} tokens restored)",
            restored=restored, cold=cold, share=restored / cold,
            prefix=made.tools_prefix_tokens, prompt=made.tools_prompt_tokens)
    ]  # fmt: skip


def summary(made: ServeBench) -> list[str]:
    """Ratios, percentiles, memory, and a prediction where one was asked for."""
    ratio = made.ttft_restored_ms / made.ttft_cold_ms
    lines = [
        say("first token with the beginning restored: {share:.2f} of cold"
            " ({prefix:.0f} of {prompt:.0f} tokens restored)",
            share=ratio, prefix=made.prefix_tokens, prompt=made.prompt_tokens),
        *_with_tools(made),
        say("memory is read at {read:.1f} GB/s; decoding uses {share:.0%} of it",
            read=made.read_gb_per_s, share=made.bandwidth_share),
        say("six agents at once: {ratio:.2f} of one agent's tokens/s", ratio=made.mixed_ratio)
        if len(made.agents) == 6  # noqa: PLR2004 - the six of G1
        else say("{count} agents at once: {ratio:.2f} of one agent's tokens/s",
                 count=len(made.agents), ratio=made.mixed_ratio),
        say("memory in MiB by adapters loaded: {memory}",
            memory=", ".join(f"{k}: {v:,.0f}" for k, v in made.memory_mb.items())),
    ]  # fmt: skip
    if made.decode_ratio_peft:
        lines.append(say("decoding is {ratio:.1f} times PEFT's", ratio=made.decode_ratio_peft))
    if made.decode_ratio_llama_server:
        lines.append(say("decoding is {ratio:.2f} times llama-server's",
                         ratio=made.decode_ratio_llama_server))  # fmt: skip
    if made.p95_answer_s is not None:
        lines.append(say("{count} answers of {tokens} tokens, agents in turn:"
                         " p50 {p50:.2f} s, p95 {p95:.2f} s",
                         count=made.answers, tokens=made.answer_tokens,
                         p50=made.p50_answer_s, p95=made.p95_answer_s))  # fmt: skip
    lines += [say("{name} failed: {reason}", name=n, reason=r) for n, r in made.left_out.items()]
    if plan := made.prediction:
        lines.append(say("{base}: {decode:.1f} tokens/s, a prompt at {prompt:.0f} tokens/s, an"
                         " answer of {tokens} tokens in {seconds:.0f} s ({restored:.0f} s with the"
                         " beginning restored), {memory:.1f} GiB ({why})",
                         base=plan.base, decode=plan.decode_tokens_per_s,
                         prompt=plan.prompt_tokens_per_s, tokens=plan.answer_tokens,
                         seconds=plan.answer_s, restored=plan.restored_answer_s,
                         memory=plan.memory_gb, why=plan.rests_on))  # fmt: skip
    return lines
