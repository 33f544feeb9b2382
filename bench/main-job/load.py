"""What `boathouse run` does before the models, by dlt: sales.csv replaces the table raw.sales of a DuckDB file.

Arrow batches are the fastest way that dlt documents: no row passes through Python.
"""

import dlt
import pyarrow
from pyarrow import csv


@dlt.resource(name="sales", write_disposition="replace")
def sales():
    types = {"order_date": pyarrow.string(), "quantity": pyarrow.int32(), "amount": pyarrow.decimal128(12, 2)}
    yield csv.read_csv("sales.csv", convert_options=csv.ConvertOptions(column_types=types))


destination = dlt.destinations.duckdb("dev_analytics.duckdb")
pipeline = dlt.pipeline("sales", destination=destination, dataset_name="raw", pipelines_dir=".dlt-state")
print(pipeline.run(sales()))
