from vibethinker_operator.keys import derive_fleet_token, derive_ticket_key

ROOT = bytes(range(32))


def test_a_restarted_operator_derives_the_same_keys():
    # Computed with `openssl dgst -sha256 -mac HMAC`: a change would log every fleet out.
    assert derive_ticket_key(ROOT, "u") == (
        "46c532becb961ea5d64864f41805e916734f5858366118a17b6fb38268f03e54"
    )
    assert derive_fleet_token(ROOT, "u") == (
        "18777c30975e0d5db5a80208b1fff08d09d18f2ac9a48fafb6b45d635b6898eb"
    )


def test_no_two_purposes_fleets_or_installations_share_a_key():
    keys = {
        derive_ticket_key(ROOT, "u"),
        derive_fleet_token(ROOT, "u"),
        derive_ticket_key(ROOT, "v"),
        derive_ticket_key(ROOT[::-1], "u"),
    }
    assert len(keys) == 4


def test_a_key_is_256_bits_in_hexadecimal():
    assert len(bytes.fromhex(derive_fleet_token(ROOT, "u"))) == 32
