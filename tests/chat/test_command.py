"""What commands for administrators share."""

import subprocess
import sys
from argparse import ArgumentParser, Namespace

import pytest

from chat.command import execute
from chat.prepare import prepare
from sessions import NotFound, Repository, Server, Site
from tests.parts import ROOT


async def sites(repo: Repository, given: Namespace) -> list[str]:
    return [site.key for site in await repo.sites.list(Server())]


async def add(repo: Repository, given: Namespace) -> list[str]:
    await repo.sites.add(Site(key=given.key, name=given.key, pack="demo-shop"))
    return [f"{given.key} added"]


async def add_and_fail(repo: Repository, given: Namespace) -> list[str]:
    await add(repo, given)
    raise NotFound("There is no shop.")


def parser() -> ArgumentParser:
    top = ArgumentParser(prog="python -m chat.shops")
    commands = top.add_subparsers(required=True)
    commands.add_parser("list").set_defaults(run=sites, reads=True)
    commands.add_parser("add").set_defaults(run=add, key="lamps")
    commands.add_parser("fail").set_defaults(run=add_and_fail, key="chairs")
    return top


@pytest.mark.usefixtures("command_log")
def test_what_a_command_wrote_is_there_for_the_next_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(parser(), ["add"]) == 0
    assert execute(parser(), ["list"]) == 0
    assert capsys.readouterr().out == "lamps added\nlamps\n"


@pytest.mark.usefixtures("command_log")
def test_a_command_that_fails_leaves_nothing_behind_but_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(parser(), ["fail"]) == 1
    assert execute(parser(), ["list"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("\n", "shops: There is no shop.\n")


@pytest.mark.usefixtures("command_log")
def test_before_runs_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(parser(), ["list"], before=prepare) == 0
    assert "demo" in capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("command_log")
def test_a_bad_setting_is_one_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINDESK_DATABASE_URL", "mysql://db/pindesk")
    assert execute(parser(), ["list"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_log_stays_off_the_answers() -> None:
    """The first command of all migrates, seeds and releases packs, and logs it."""
    told = subprocess.run(
        [sys.executable, "-m", "chat.sites", "list"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "demo" in {line.split()[0] for line in told.stdout.splitlines()}
    assert not any(line.startswith(("{", "20")) for line in told.stdout.splitlines())
