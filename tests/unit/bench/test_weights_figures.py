from tests.bench.weights.__main__ import measure


def test_the_weights_of_each_format():
    measured = measure()
    sizes = {name: figures["bytes"] for name, figures in measured.items()}
    assert (sizes["float16"], sizes["w8a8"]) == (3_087_428_608, 1_779_813_376)
    assert 1.6e9 < sizes["gguf_q8_0"] < 1.7e9


def test_a_card_has_room_for_what_smaller_weights_leave():
    measured = measure()
    # 1,307,615,232 bytes less, of 28,672 a token.
    gained = measured["w8a8"]["t4_kv_tokens"] - measured["float16"]["t4_kv_tokens"]
    assert 45_590 <= gained <= 45_622
    assert "t4_kv_tokens" not in measured["gguf_q8_0"]
