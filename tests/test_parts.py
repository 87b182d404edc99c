import pytest

from tests.parts import PARTS

_INI = """
[pytest]
asyncio_default_fixture_loop_scope = function
markers =
    engine: a
    browser: b
    postgres: c
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("PINDESK_REQUIRE", raising=False)
    monkeypatch.setitem(PARTS, "browser", lambda: "no browser on this machine")
    monkeypatch.setitem(PARTS, "engine", lambda: None)
    pytester.makeini(_INI)
    pytester.makeconftest('pytest_plugins = ["tests.parts"]')
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.browser
        def test_browser(): pass

        @pytest.mark.engine
        def test_engine_gives_up(): pytest.skip("the engine went away")

        @pytest.mark.engine
        @pytest.mark.xfail(reason="known")
        def test_expected_failure(): assert False

        def test_unrelated(): pytest.skip("another reason")
        """
    )
    return pytester


def _run(suite: pytest.Pytester) -> pytest.RunResult:
    return suite.runpytest_inprocess("-rs", "-p", "no:cacheprovider")


def test_a_missing_part_skips_with_its_reason(suite: pytest.Pytester) -> None:
    result = _run(suite)
    result.assert_outcomes(skipped=3, xfailed=1)
    result.stdout.fnmatch_lines(["*browser: no browser on this machine*"])


def test_a_required_part_turns_its_skip_into_a_failure(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINDESK_REQUIRE", "browser")
    result = _run(suite)
    result.assert_outcomes(errors=1, skipped=2, xfailed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*PINDESK_REQUIRE names browser*no browser on this machine*"])


def test_a_test_of_two_parts_that_lacks_the_one_is_no_failure_of_the_other(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.makepyfile(
        test_both="""
        import pytest

        @pytest.mark.browser
        @pytest.mark.engine
        def test_both(): pass
        """
    )
    for required, failed in (("postgres", 0), ("engine", 0), ("browser", 1)):
        monkeypatch.setenv("PINDESK_REQUIRE", required)
        result = suite.runpytest_inprocess("-p", "no:cacheprovider", "test_both.py")
        result.assert_outcomes(errors=failed, skipped=1 - failed)


def test_a_skip_while_running_fails_too_and_an_expected_failure_does_not(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINDESK_REQUIRE", "engine, postgres")
    result = _run(suite)
    result.assert_outcomes(skipped=2, failed=1, xfailed=1)
    result.stdout.fnmatch_lines(["*the engine went away*"])


def test_a_module_that_skips_itself_fails_when_anything_is_required(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINDESK_REQUIRE", "postgres")
    suite.makepyfile(test_gone="import pytest; pytest.importorskip('no_such_module')")
    assert _run(suite).ret != pytest.ExitCode.OK


def test_an_unknown_part_is_refused(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINDESK_REQUIRE", "engine,brwoser")
    result = _run(suite)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no such part: brwoser*"])
