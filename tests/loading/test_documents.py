"""Documents: merging, assigning, and what a message shows."""

from simulator.loading import Document, Mistake, Place, assign, dotted, merge, parse_text, shown

AT = Place("--set a=1")


def test_mappings_merge_and_lists_replace():
    base = parse_text("a: {b: 1, c: [1, 2]}\nd: 1", "base.yaml")
    over = parse_text("a: {c: [3], e: 4}", "over.yaml")
    assert merge(base, over).value == {"a": {"b": 1, "c": [3], "e": 4}, "d": 1}


def test_a_null_deletes_what_the_base_says():
    assert merge(parse_text("a: 1\nb: 2", "b"), parse_text("a: ~", "o")).value == {"b": 2}


def test_a_null_that_deletes_nothing_stays_to_be_reported():
    assert merge(parse_text("a: 1", "b"), parse_text("x: ~", "o")).value == {"a": 1, "x": None}


def test_each_value_keeps_the_place_of_the_file_that_gave_it():
    merged = merge(parse_text("a: {b: 1, c: 2}", "base"), parse_text("a:\n  c: 3", "over"))
    assert merged.place(("a", "b")).file == "base"
    assert merged.place(("a", "c")) == Place("over", 2, 3)
    assert merged.place(("a", "none")) == Place("over", 1, 1)


def test_assigning_leaves_the_document_as_it_was():
    document = parse_text("a: {b: 1}", "x")
    assert assign(document, "a.b", 2, AT).value == {"a": {"b": 2}}
    assert document.value == {"a": {"b": 1}}


def test_a_star_stands_for_every_key():
    document = parse_text("a: {x: {c: 1, d: 1}, y: {c: 2}}", "x")
    assert assign(document, "a.*.c", 9, AT).value == {"a": {"x": {"c": 9, "d": 1}, "y": {"c": 9}}}


def test_a_star_that_stands_for_nothing_is_a_mistake():
    document = assign(parse_text("a: 1", "x"), "b.*.c", 9, AT)
    assert [str(mistake) for mistake in document.mistakes] == [
        "--set a=1: b.*.c names nothing: a '*' stands for the keys of a mapping, and here is none"
    ]


def test_years_are_found_as_numbers_and_new_ones_are_numbers():
    document = assign(parse_text("a: {2022: 1}", "x"), "a.2022", 5, AT)
    assert assign(document, "a.2023", 6, AT).value == {"a": {2022: 5, 2023: 6}}


def test_keys_that_hold_dots_are_found():
    document = parse_text("rules: {mssp.2022.E.rate: {value: 1}}", "x")
    changed = assign(document, "rules.mssp.2022.E.rate.value", 2, AT)
    assert changed.value == {"rules": {"mssp.2022.E.rate": {"value": 2}}}


def test_a_new_path_is_made_with_its_place():
    document = assign(parse_text("a: 1", "x"), "b.c", 2, AT)
    assert document.value == {"a": 1, "b": {"c": 2}}
    assert document.place(("b", "c")) == document.place(("b",)) == AT


def test_items_of_lists_can_be_set_but_not_added():
    document = assign(parse_text("a: [1, 2]", "x"), "a.1", 5, AT)
    assert document.value == {"a": [1, 5]}
    assert "cannot be set" in str(assign(document, "a.7", 5, AT).mistakes[0])


def test_a_path_through_a_plain_value_is_a_mistake():
    document = assign(parse_text("a: text", "x"), "a.b", 1, AT)
    assert str(document.mistakes[0]) == (
        "--set a=1: a.b cannot be set: a is 'text', not a mapping"
    )


def test_a_mistake_without_a_line_names_its_source_alone():
    assert str(Mistake(Place("x.yaml"), "", "was not found")) == "x.yaml: was not found"


def test_long_and_unprintable_values_are_shortened_and_escaped():
    assert len(shown("x" * 10_000)) <= 61
    assert shown("\u202e\x1b[31m") == r"'\u202e\x1b[31m'"
    assert dotted(("a\nb", "c")) == r"'a\nb'.c"


def test_merging_an_unread_value_keeps_the_base():
    merged = merge(parse_text("a: 1", "base"), Document({"a": None}, {}, (), frozenset({("a",)})))
    assert merged.value == {"a": 1}
