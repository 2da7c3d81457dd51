"""Reading YAML: the core rules of 1.2, places, and what is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ScenarioError
from simulator.loading import Place, dump, parse, parse_text, scan, scan_text
from simulator.loading.parsing import DEEPEST, LARGEST


def lines(text):
    """Return the mistakes of a text as they are printed."""
    return [str(mistake) for mistake in scan_text(text, "x.yaml").mistakes]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-2", 0.01),
        ("no", "no"),
        ("Yes", "Yes"),
        ("12:30", "12:30"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("10_000", 10_000),
        ("1_234.5", 1234.5),
        ("_1", "_1"),
        ("-3", -3),
        (".5", 0.5),
        ("5.", 5.0),
        ("2026-01-01", "2026-01-01"),
        ("true", True),
        ("TRUE", True),
        ("~", None),
        ("'5'", "5"),
        ('"null"', "null"),
    ],
)
def test_scalars_follow_the_core_rules_of_yaml_1_2(written, value):
    read = parse_text(f"a: {written}", "x.yaml").value["a"]
    assert read == value
    assert type(read) is type(value)


def test_every_value_and_its_parents_have_a_place():
    places = parse_text("a:\n  b: [1,\n      2]\n", "x.yaml").places
    assert places["a",] == Place("x.yaml", 1, 1)
    assert places["a", "b"] == Place("x.yaml", 2, 3)
    assert places["a", "b", 1] == Place("x.yaml", 3, 7)


def test_a_repeated_key_is_reported_each_time_with_both_lines():
    assert lines("a: 1\nb: 2\na: 3\na: 4\n") == [
        "x.yaml:3: a is given twice, first in line 1; once is allowed",
        "x.yaml:4: a is given twice, first in line 1; once is allowed",
    ]


def test_repeated_keys_inside_a_repeated_key_are_reported():
    assert len(lines("a: {b: 1}\na: {c: 1, c: 2}\n")) == 2


@pytest.mark.parametrize("number", [".inf", "-.INF", ".nan", "1e999", "9" * 60])
def test_numbers_that_are_not_finite_are_refused(number):
    (line,) = lines(f"a: {number}")
    assert line.startswith("x.yaml:1: a is ")
    assert line.endswith("must be a finite number")


def test_an_empty_value_is_not_taken_for_a_deletion():
    assert lines("a:\nb: 1\n") == [
        "x.yaml:1: a is empty; give a value (after ': '), or ~ for none"
    ]


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\n", "a: &x [1]\nb: [*x, *x]\n"])
def test_anchors_and_aliases_are_refused_with_their_lines(text):
    assert [line.split(" ")[0] for line in lines(text)] == ["x.yaml:1:", "x.yaml:2:"]


def test_an_alias_bomb_is_refused_at_once():
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
    )
    assert len(lines(bomb)) == 30


@pytest.mark.parametrize("opened", ["[", "{a: ", "- ", "? ", ": "])
def test_deep_nesting_is_refused(opened):
    (line,) = lines(opened * 20_000)
    assert f"is nested more than {DEEPEST} deep" in line


def test_nesting_within_the_limit_is_read():
    assert not lines("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))


def test_python_tags_stay_text_and_are_refused():
    document = scan_text("a: !!python/object/apply:os.system ['true']\n", "x.yaml")
    assert "tags are not allowed" in str(document.mistakes[0])
    assert document.value == {"a": ["true"]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("true: 1", "has 'true' as a key; must be a word or a whole number"),
        ("1.5: 1", "has '1.5' as a key; must be a word or a whole number"),
        ("[a]: 1", "has '?' as a key; must be a word or a whole number"),
        ("%YAML 1.1\n---\na: 1", "asks for another YAML version; must be 1.2"),
        ("a: 1\n---\nb: 1", "holds a second document; only one is allowed"),
        ("a: \x07", "holds '\\x07', which is not allowed in YAML"),
        ("a: \u2028", "holds '\\u2028', which is not allowed in YAML"),
        ('a: "\\ud800"', "a holds half a character"),
        ('a: "\\UFFFFFFFF"', "holds an escape that is no character"),
        ("", "is empty; must be a mapping"),
        ("# only a comment\n", "is empty; must be a mapping"),
    ],
)
def test_what_is_not_allowed_has_a_line_and_a_reason(text, found):
    (line,) = lines(text)
    assert line.startswith("x.yaml:")
    assert line.endswith(found)


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 2, "has a bracket that is not closed, or lacks a comma"),
        ("a: 1\nb: {x: 1\nc: 3\n", 2, "has a bracket that is not closed, or lacks a comma"),
        ("a: 1\nb: 'x\nc: 3\n", 2, "opens a quote that is not closed"),
        ("a: 1\nb: 'x\nc: it's\n", 2, "opens a quote that is not closed"),
        ("a: 1\nb: c: d\n", 2, "has a second ':'; text that holds one must be quoted"),
        ("a: 1\nb\nc: 3\n", 2, "is not of the form 'name: value'"),
        ("a: 1\n  b: 2\nc: 3\n", 2, "is indented under a line that already has a value"),
        ("a:\n  b: 1\n c: 2\n", 3, "is indented unlike the lines around it"),
        ("a: 1\nb: @x\n", 2, "has a value that starts with a sign of YAML's own; quote it"),
        ("a: 1\nb: 'x' y\n", 2, "has something after the end of its value"),
        ("a:\n\tb: 1\n", 2, "is indented with a tab; must be spaces"),
        ("a: 1\nb:\t2\n", 2, "holds a tab; must be spaces"),
    ],
)
def test_what_is_not_yaml_is_said_in_plain_words(text, line, found):
    assert lines(text) == [f"x.yaml:{line}: {found}"]


def test_reading_goes_on_past_lines_that_are_not_yaml():
    text = "a: [1\nb: 2\nb: 3\nc: 'x\nd: .nan\ne: @\nf: 1\n"
    assert [line.split(": ")[0] for line in lines(text)] == [
        "x.yaml:1",
        "x.yaml:4",
        "x.yaml:6",
        "x.yaml:3",
        "x.yaml:5",
    ]


def test_every_line_with_a_tab_is_named():
    text = "a:\n\tb:\n\t\tc: 1\n\td: 2\n"
    document = scan_text(text, "x.yaml")
    assert [mistake.place.line for mistake in document.mistakes] == [2, 3, 4]
    assert document.value == {"a": {"b": {"c": 1}, "d": 2}}


def test_one_line_with_a_tab_does_not_disturb_its_neighbours():
    text = "a:\n  b:\n    c: 1\n\td: 2\n    e: 3\nf: 1\n"
    assert lines(text) == ["x.yaml:4: is indented with a tab; must be spaces"]


def test_a_missing_file_is_a_mistake(tmp_path):
    path = tmp_path / "none.yaml"
    with pytest.raises(ScenarioError, match="was not found"):
        parse(path)


def test_a_folder_is_a_mistake(tmp_path):
    assert "is a folder" in str(scan(tmp_path).mistakes[0])


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"a: 1\nb: \x00\n", ":2: byte 0x00 at offset 8 is not UTF-8 text"),
        (b"a: 1\nb: \xe9\n", ":2: byte 0xe9 at offset 8 is not UTF-8 text"),
        (bytes(range(256)), ":1: byte 0x00 at offset 0 is not UTF-8 text"),
        ("a: 1".encode("utf-16"), ":1: byte 0xff at offset 0 is not UTF-8 text"),
    ],
)
def test_a_binary_file_is_named_with_the_first_wrong_byte(tmp_path, raw, found):
    path = tmp_path / "x.yaml"
    path.write_bytes(raw)
    (mistake,) = scan(path).mistakes
    assert str(mistake).endswith(found)


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbfa: 1\nb: 2\n", b"a: 1\r\nb: 2\r\n", b"a: 1\rb: 2"])
def test_a_byte_order_mark_and_foreign_line_ends_are_accepted(tmp_path, raw):
    path = tmp_path / "x.yaml"
    path.write_bytes(raw)
    document = parse(path)
    assert document.value == {"a": 1, "b": 2}
    assert document.places["b",].line == 2


def test_a_file_of_50_megabytes_is_refused_by_its_size(tmp_path):
    path = tmp_path / "x.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    assert f"holds 50,000,000 bytes; at most {LARGEST:,}" in str(scan(path).mistakes[0])


def test_a_device_is_not_read():
    assert scan("/dev/zero").mistakes


def test_a_flood_of_broken_lines_is_given_up():
    text = "\n".join(f"a{i}: [1" for i in range(5_000))
    assert lines(text)[-1] == "x.yaml: is read no further; put these lines right first"


@given(st.text(max_size=200))
def test_any_text_gives_a_document_or_mistakes(text):
    document = scan_text(text, "x.yaml")
    assert document.mistakes or not document.unread


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**30), 10**30)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text("abc: #'\"\\\n\té~-[]{},&*!|>%@`0123456789._", max_size=12),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("ab: #0.'é", max_size=4) | st.integers(0, 3000), inner)
        ),
        max_leaves=12,
    )
)
def test_what_is_written_reads_back_as_itself(value):
    text = dump({"a": value})
    read = parse_text(text, "x.yaml").value["a"]
    assert read == value
    assert not (isinstance(read, float) and math.isnan(read))


def test_a_table_is_no_document_and_nothing_of_it_is_quoted(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("K17,1931-07-09,Canary Birdsong\n", encoding="utf-8")
    (mistake,) = scan(path).mistakes
    assert str(mistake) == f"{path}: is a table; must be a YAML file, which may name tables"
