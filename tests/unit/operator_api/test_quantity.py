from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity as parse_reference
from vibethinker_operator.quantity import parse_quantity


def test_amounts_are_read_as_people_write_them():
    assert parse_quantity(4) == 4
    assert parse_quantity("6.75Gi") == 7_247_757_312
    assert parse_quantity("500M") == 500_000_000


def test_a_fraction_of_one_is_rounded_up():
    assert parse_quantity("500m") == 1


@given(
    whole=st.integers(0, 10**9),
    fraction=st.integers(0, 999),
    suffix=st.sampled_from(["", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"]),
)
def test_it_agrees_with_the_official_client(whole, fraction, suffix):
    text = f"{whole}.{fraction:03}{suffix}"
    assert 0 <= parse_quantity(text) - parse_reference(text) < 1
