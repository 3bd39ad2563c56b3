"""The contract: what a schema may differ in, and that its page is up to date."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines import contract
from pipelines.contract import FLOW, TABLES, annotation, field, mismatches, table

ROOT = Path(__file__).parents[2]
EXPECTED = table("m", field("a", pa.string(), "m"), field("b", pa.int32(), "m"), contract.REASON)
A, B, REASON = (EXPECTED.field(number) for number in range(3))


@pytest.mark.parametrize(
    ("found", "problems"),
    [
        pytest.param([A, B, REASON], [], id="the same"),
        pytest.param([REASON, B, A], [], id="in another order"),
        pytest.param([A.remove_metadata(), B, REASON], [], id="with other metadata"),
        pytest.param([A, REASON], ["column 'b' is missing"], id="one less"),
        pytest.param([A, B, REASON, pa.field("c", pa.int8())], ["column 'c' is unknown"], id="one more"),
        pytest.param([A, B.with_type(pa.int64()), REASON], ["column 'b' is int64, expected int32"], id="type"),
        pytest.param([A.with_nullable(True), B, REASON], ["column 'a' has nullable=True, expected False"], id="null"),
        pytest.param([A, B, REASON.with_nullable(False)], ["column 'reason' has nullable=False, expected True"],
                     id="never null"),
        pytest.param([B.with_name("c"), REASON],
                     ["column 'a' is missing", "column 'b' is missing", "column 'c' is unknown"], id="several"),
    ],
)  # fmt: skip
def test_mismatches(found, problems):
    assert list(mismatches(pa.schema(found), EXPECTED)) == problems


def test_an_annotation_begins_with_the_row_and_its_fate():
    assert annotation("m", B).names == ["row_id", "measured", "reason", "detail", "b"]


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_a_meaning_and_only_a_reason_may_be_null(name):
    schema = TABLES[name]
    assert schema.metadata[b"meaning"]
    assert all(column.metadata[b"meaning"] for column in schema)
    assert [column.name for column in schema if column.nullable] == (["reason"] if "reason" in schema.names else [])


def test_text_may_be_larger_than_two_gigabytes():
    assert {TABLES[name].field(column).type for name, column in
            [("file", "content"), ("page", "content"), ("document", "text")]} == {pa.large_string()}  # fmt: skip


def test_a_sequence_has_its_length():
    assert contract.sequence(4).field("tokens").type == pa.list_(pa.int32(), 4)


@pytest.mark.parametrize(("size", "expected"), [(512, "uint16"), (1 << 16, "uint16"), (65_537, "int32")])
def test_a_token_id_takes_two_bytes_where_all_ids_fit(size, expected):
    kind = contract.token_id_type(size)
    assert (str(kind), size - 1 <= np.iinfo(kind.to_pandas_dtype()).max) == (expected, True)


def test_the_page_is_up_to_date():
    page = (ROOT / "docs/data_contract.md").read_text()
    assert page == contract.markdown(), "run `python -m pipelines contract > docs/data_contract.md`"


def test_the_page_has_every_table_and_column():
    page = contract.markdown()
    for name, schema in TABLES.items():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")][1:] == [
            f"| {column}" for column in schema.names
        ]
    assert "| tokens | `fixed_size_list<uint16 or int32>[sequence length]` | token ids; `uint16` where " in page
    assert "| reason | `string, nullable` |" in page


def test_a_stage_is_named_once():
    assert len(set(FLOW)) == len(FLOW) == 12
