import pytest

from chat.webhooks.targets import check_url, is_public


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "2002:7f00:1::", "ff02::1",
    ],
)  # fmt: skip
def test_the_house_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url", ["http://shop.example/", "https://127.0.0.1/", "https://[::1]:8080/", "https://169.254.169.254/latest"]
)
def test_targets_in_the_house_or_in_clear_need_the_setting(url: str) -> None:
    with pytest.raises(ValueError, match="PINDESK_WEBHOOK_PRIVATE_TARGETS"):
        check_url(url, private=False)
    assert check_url(url, private=True) == url


@pytest.mark.parametrize("url", ["ftp://shop.example/", "shop.example", "https://", "https://me:pw@shop.example/"])
@pytest.mark.parametrize("private", [True, False])
def test_what_is_no_address_of_a_program_is_refused(url: str, private: bool) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        check_url(url, private=private)
