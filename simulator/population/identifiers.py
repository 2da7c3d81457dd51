"""Columns that look as if they told who somebody is: they are refused, whatever they hold."""

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulator.population.columns import key

__all__ = ["NUMERIC", "named", "patterns", "spelt"]

_WORDS = (
    "mbi", "hicn", "hicno", "hic", "beneid", "benesk", "beneficiaryid", "beneficiarykey",
    "medicareid", "medicarenumber", "medicareno", "ssn", "socialsecurity", "firstname", "lastname",
    "middlename", "middleinitial", "fullname", "surname", "maidenname", "givenname", "name",
    "patientname", "membername", "benename", "dob", "birth", "zip", "postal", "address", "street",
    "addr", "phone", "telephone", "fax", "mobile", "email", "memberid", "patientid", "personid",
    "subscriberid", "mrn", "medicalrecord", "accountnumber", "license", "deathdate", "dateofdeath",
    "dod", "dateofservice", "servicedate", "dos", "fromdate", "thrudate", "throughdate",
    "admitdate", "admissiondate", "dischargedate", "claimid", "claimnumber", "photo", "ipaddress",
)  # fmt: skip
# Short words are names by themselves only: `dos` stands in `doses`, `name` in many.
_WHOLE = {word for word in _WORDS if len(word) <= 4}

_LETTER = "[AC-HJKMNP-RT-Y]"
_EITHER = "[AC-HJKMNP-RT-Y0-9]"
_TWO = ("[0-9]", "[0-9]")
_GAP = "[-. _/]*"
_MONTH = "(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*"
# Shapes of values as `spelt` leaves them: capitals, plain digits, one kind of dash and space.
_PATTERNS: Mapping[str, str] = {
    "Medicare Beneficiary Identifiers": _GAP.join(
        ("[1-9]", _LETTER, _EITHER, "[0-9]", _LETTER, _EITHER, "[0-9]", *[_LETTER] * 2, *_TWO)
    ),
    "health insurance claim numbers": (
        rf"[0-9]{{3}}{_GAP}[0-9]{{2}}{_GAP}[0-9]{{4}}{_GAP}[A-Z][A-Z0-9]?"
    ),
    "social security numbers": r"[0-9]{3}[-. _/]+[0-9]{2}[-. _/]+[0-9]{4}",
    "phone numbers": (
        r"(\+?1[-. _/]*)?\(?[0-9]{3}\)?[-. _/]*[0-9]{3}[-. _/]+[0-9]{4}"
        r"|\+1?[0-9]{10}|(\+?1[-. _/]*)?(\([0-9]{3}\)|[0-9]{3}[-. _/]+)[0-9]{7}"
    ),
    "addresses of electronic mail": r"[^@\s]+ *@ *[^@\s]+ *\. *[A-Za-z]{2,}",
    "dates": (
        r"[0-9]{4}[-/. _][0-9]{1,2}[-/. _][0-9]{1,2}([T ].*)?"
        r"|[0-9]{1,2}[-/. _][0-9]{1,2}[-/. _]([0-9]{2}|[0-9]{4})"
        rf"|[0-9]{{1,2}}{_GAP}{_MONTH}[-. _/,]*([0-9]{{2}}|[0-9]{{4}})"
        rf"|{_MONTH}{_GAP}[0-9]{{1,2}}[-. _/,]+[0-9]{{4}}"
    ),
    "ZIP codes": r"[0-9]{5}[-. _]+[0-9]{4}",
}
_DIGITS: Mapping[str, str] = {
    "social security numbers": r"[0-9]{9}",
    "phone numbers": r"1?[2-9][0-9]{9}",
    "dates": r"(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])",
}
# Five digits are a ZIP code where people are grouped by them; a key may be a mere number.
_GROUPS = frozenset({"tingroup"})
_ZIPS: Mapping[str, str] = {"ZIP codes": r"[0-9]{5}"}
NUMERIC = frozenset(
    {"year", "months", "paidusd", "riskscore", "personyears", "pbpyusd", "totalusd"}
)


def named(column: str) -> bool:
    """Return whether the name of a column is that of something that identifies a person.

    >>> [name for name in ("row_key", "Bene_MBI", "DOB", "zip5", "paid_usd") if named(name)]
    ['Bene_MBI', 'DOB', 'zip5']
    """
    plain = key(column)
    parts = {key(part) for part in re.split(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])", column) if part}
    whole = {plain, plain.rstrip("0123456789"), *parts, *(p.rstrip("0123456789") for p in parts)}
    return bool(whole & set(_WORDS)) or any(word in plain for word in _WORDS if word not in _WHOLE)


def spelt(values: Any) -> Any:
    """Return values as the patterns are written, however they are typed.

    >>> spelt(pa.array(["\N{FULLWIDTH DIGIT ONE}eg4\N{EN DASH}te5 mk73"])).to_pylist()
    ['1EG4-TE5 MK73']
    """
    if pa.types.is_floating(values.type):
        whole = pc.equal(pc.round(values), values)
        values = pc.if_else(whole, values, None).cast(pa.int64(), safe=False)
    text = pc.utf8_normalize(values.cast(pa.string()), form="NFKC")
    text = pc.replace_substring_regex(text, r"\p{Cf}", "")
    text = pc.replace_substring_regex(text, r"[\p{Pd}\x{2212}]", "-")
    text = pc.replace_substring_regex(text, r"[\p{Z}\s]+", " ")
    return pc.utf8_upper(pc.utf8_trim_whitespace(text))


def patterns(column: str) -> Mapping[str, str]:
    """Return the patterns that no value of a column may have, by what they are.

    Bare digits are left alone where the column is a number's.
    """
    bare = {} if key(column) in NUMERIC else _DIGITS
    if key(column) in _GROUPS:
        bare = {**bare, **_ZIPS}
    joined = {
        what: f"{shape}|{bare[what]}" if what in bare else shape
        for what, shape in _PATTERNS.items()
    }
    return {what: f"^({shape})$" for what, shape in joined.items()}
