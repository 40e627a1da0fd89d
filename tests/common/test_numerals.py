from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import formats, translation
from hypothesis import given
from hypothesis import strategies as st

from common.numerals import written


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
@given(
    number=st.integers(-(10**12), 10**12)
    | st.decimals(-(10**9), 10**9, places=2)
    | st.floats(-1e9, 1e9).map(lambda one: round(one, 2))
)
def test_number_is_written_as_django_writes_it_with_grouping(language: str, number: float | Decimal) -> None:
    with translation.override(language):
        assert written(number) == formats.number_format(number, use_l10n=True, force_grouping=True)


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
@given(number=st.decimals(-(10**9), 10**9, places=2))
def test_decimals_are_filled_up_to_their_places(language: str, number: Decimal) -> None:
    with translation.override(language):
        assert written(number, 2) == formats.number_format(number, 2, use_l10n=True, force_grouping=True)
