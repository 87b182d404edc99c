"""Dashboards and alerts speak of metrics that exist, and each alert fires on its fault."""

import json
import re
import subprocess

import httpx
import pytest

from telemetry.metrics import Metrics
from tests.parts import ROOT

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus/alerts.yml"
DASHBOARD = DEPLOY / "grafana/pindesk.json"


def used(prefix: str) -> set[str]:
    """The metrics of this prefix that the rules and the dashboard name, without a histogram's or counter's ending."""
    told = RULES.read_text() + DASHBOARD.read_text()
    return {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in re.findall(rf"{prefix}\w+", told)}


def test_every_metric_of_ours_exists() -> None:
    gpu = {"pindesk_machine_gpu_busy_ratio", "pindesk_machine_gpu_memory_bytes"}  # only where there is one

    assert used("pindesk_") - gpu <= {family.name for family in Metrics().registry.collect()}


@pytest.mark.engine
def test_every_metric_of_the_engine_exists(engine_urls: list[str]) -> None:
    served = httpx.get(f"{engine_urls[0]}/metrics", trust_env=False).text

    families = {re.sub(r"_total$", "", name) for name in re.findall(r"^# TYPE (\S+)", served, re.MULTILINE)}
    assert used("vllm:") <= families


def test_every_panel_asks_something_of_the_chosen_data_source() -> None:
    panels = [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]

    assert len(panels) >= 20
    for panel in panels:
        assert panel["datasource"]["uid"] == "${datasource}" and panel["targets"], panel["title"]
        assert all(target["expr"].count("(") == target["expr"].count(")") for target in panel["targets"])


@pytest.mark.prometheus
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus/prometheus.yml"),
        ("check", "rules", "prometheus/alerts.yml"),
        ("test", "rules", "prometheus/alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    told = subprocess.run(["promtool", *arguments], cwd=DEPLOY, capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stdout + told.stderr


def test_every_alert_is_tried() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    tried = set(re.findall(r'alertname(?:="|: )(\w+)', (DEPLOY / "prometheus/alerts_test.yml").read_text()))

    assert alerts == tried
