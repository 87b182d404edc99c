"""What a replica says of a pack; the replica here is a stub that chooses as it is told."""

from collections.abc import Iterator

import pytest

from prompts import Pack
from prompts.__main__ import main
from prompts.check import check
from prompts.confusion import Confusion, examine
from prompts.probes import probes
from tests.prompts.conftest import DEMO
from tests.prompts.stub_replica import StubReplica


@pytest.fixture
def replica(demo: Pack) -> Iterator[StubReplica]:
    """Chooses what the probe was made for, but takes every complaint for a review."""
    meant = {probe: template.id for template in demo.offered for probe in probes(template)}
    with StubReplica(lambda text: "review" if meant.get(text) == "complaint" else meant.get(text, "thanks")) as stub:
        yield stub


def test_the_confused_pairs_are_named_with_their_probes(demo: Pack, replica: StubReplica) -> None:
    seen = examine(demo, replica.url)
    spoken = tuple(probes(demo.templates["complaint"]))
    assert seen.confusions == (Confusion("complaint", "review", spoken, len(spoken)),)
    assert seen.context_tokens == 4096
    assert seen.figures.counted
    assert seen.figures.grammar.ms is not None


def test_the_model_chooses_among_all_templates_and_nothing_else(demo: Pack, replica: StubReplica) -> None:
    examine(demo, replica.url)
    asked = [body for body in replica.bodies if body["max_tokens"] > 1]
    names = {branch["properties"]["template"]["const"] for branch in asked[0]["structured_outputs"]["json"]["anyOf"]}
    assert names == {each.id for each in demo.offered}
    assert all(body["temperature"] == 0 for body in asked)


def test_the_grammar_is_timed_with_a_schema_that_nobody_has_seen(demo: Pack, replica: StubReplica) -> None:
    examine(demo, replica.url)
    examine(demo, replica.url)
    comments = [body["structured_outputs"]["json"].get("title") for body in replica.bodies if body["max_tokens"] == 1]
    assert len({comment for comment in comments if comment}) == 2


def test_the_command_prints_what_is_confused(replica: StubReplica, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "demo-shop", "--replica", replica.url]) == 0
    assert "demo-shop: complaint is taken for review in" in capsys.readouterr().out


def test_a_template_whose_grammar_the_replica_refuses_is_named(
    replica: StubReplica, capsys: pytest.CaptureFixture[str]
) -> None:
    replica.refuses = "charged_twice"
    assert main(["check", "demo-shop", "--replica", replica.url]) == 1
    (mistake, summary) = capsys.readouterr().out.splitlines()
    assert mistake.startswith("demo-shop/templates/charged_twice.toml:5: The engine cannot compile the grammar")
    assert "the grammar is too large" in mistake
    assert "Remedy: Simplify [slots]." in mistake
    assert "demo-shop: refused" in summary


def test_a_replicas_own_context_counts(replica: StubReplica) -> None:
    replica.max_model_len = 1000
    assert not check(DEMO, replica=replica.url).ok


def test_a_replica_that_is_away_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "demo-shop", "--replica", "http://127.0.0.1:9"]) == 1
    assert capsys.readouterr().err
