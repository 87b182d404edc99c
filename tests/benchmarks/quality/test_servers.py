import sys
from pathlib import Path

import httpx
import pytest

from benchmarks.quality.arms import ARMS, launch
from benchmarks.quality.servers import NotServed, free_ports, serving

SERVER = """
import http.server, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""


def test_servers_run_inside_the_block_only() -> None:
    ports = free_ports(2)
    with serving([([sys.executable, "-c", SERVER, str(port)], {}) for port in ports], ports) as urls:
        assert [httpx.get(f"{url}/health").status_code for url in urls] == [200, 200]
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")


def test_a_server_that_ends_tells_its_log() -> None:
    with (
        pytest.raises(NotServed, match="no such model"),
        serving([([sys.executable, "-c", "raise SystemExit('no such model')"], {})], free_ports(1)),
    ):
        pass


def test_the_arms_differ_by_what_they_say_they_do() -> None:
    commands = {
        name: " ".join(launch(arm, Path("model"), 1, Path("python"), is_cpu=True)[0]) for name, arm in ARMS.items()
    }
    assert "transformers_server model 1" in commands["transformers"]
    assert commands["plain"].endswith("--no-enable-prefix-caching")
    assert commands["prefix"] == commands["ours"]
    assert "--no-enable-prefix-caching" not in commands["ours"]
