"""Records to JSON and back: whatever a record may hold comes back equal, or is refused."""

import collections.abc
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_records import scan, sheet

from digitizer.ledger.codec import FORMAT, decode, encode
from digitizer.model.film import Quality
from digitizer.model.identity import ExamRecord, JacketRecord, PatientRecord
from digitizer.model.records import Scan, Sheet
from digitizer.ports import Record

KINDS = [*Record.__args__, PatientRecord, ExamRecord, JacketRecord]

st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(date, st.dates())


def _mappings(kind: Any) -> st.SearchStrategy[Mapping[Any, Any]]:
    """Draw the two mappings that there are in records: a dict, and one made read-only."""
    names, values = (st.from_type(one) for one in kind.__args__)
    plain = st.dictionaries(names, values, max_size=3)
    return plain | plain.map(MappingProxyType)


st.register_type_strategy(collections.abc.Mapping, _mappings)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_a_record_comes_back_equal(kind: type[Any], data: st.DataObject) -> None:
    """Enumerations, tuples, corners, dates, mappings and all: nothing is changed on the way."""
    record = data.draw(st.from_type(kind))
    text = encode(record)
    back = decode(kind, text)
    assert back == record
    assert encode(back) == text


def test_times_come_back_with_their_zone() -> None:
    """A time is aware after the way as before it."""
    assert decode(Scan, encode(scan())).received_at.utcoffset() is not None


@pytest.mark.parametrize(
    "quality",
    [
        Quality(noise=math.nan),
        Quality(sharpness=math.inf),
        Quality(bits="12"),  # type: ignore[arg-type]
        Quality(noise=np.zeros(1)),  # type: ignore[arg-type]
        Quality(flags=[1]),  # type: ignore[arg-type]
    ],
    ids=["no number", "infinite", "text for a number", "array", "number for a text"],
)
def test_what_does_not_fit_is_refused(quality: Quality) -> None:
    """A value that would come back changed is never written."""
    with pytest.raises(ValueError):
        encode(sheet(quality=quality))


def test_text_that_looks_like_no_number_is_kept() -> None:
    """A patient may be called NaN."""
    record = scan(source="NaN/Infinity.tif")
    assert decode(Scan, encode(record)) == record


def test_a_field_nobody_knows_is_refused() -> None:
    """JSON with more than the record has was not written by this version."""
    text = encode(scan()).replace('"size":1', '"size":1,"colour":"red"')
    with pytest.raises(ValueError, match="colour"):
        decode(Scan, text)


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"format":99,"record":{}}', '{"format":1,"record":{', '{"format":1,"record":}'],
)
def test_another_format_is_refused(text: str) -> None:
    """What is not of today's format is told, not guessed at."""
    with pytest.raises(ValueError):
        decode(Sheet, text)


def test_the_format_is_numbered() -> None:
    """The number stands first, where a later version can see it."""
    assert encode(scan()).startswith(f'{{"format":{FORMAT},')
