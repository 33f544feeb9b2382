"""It's a docstring: dbt.config(enabled=False)"""
import pandas as pd


def model(dbt, session):
    # dbt.ref('nothing'), it's a comment
    dbt.config(
        materialized="incremental",  # with a comment (and a bracket
        unique_key=["id", 'at'],
        meta={"n": 1, "f": 1.5, "off": None, "on": True},
        tags=["x"],
    )
    first = dbt.ref("b").df()
    second = {"k": dbt.ref("proj", "b"), "v": f"{dbt.source('raw', 'events')}"}
    if dbt.is_incremental:
        third = dbt.ref("b", v=None)
    text = "dbt.ref('no')"
    return first
