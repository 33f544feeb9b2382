"""Prints the revenue of the marts: that both did the same work."""

import duckdb

print(duckdb.connect("dev_analytics.duckdb", read_only=True).sql("select sum(revenue) from marts.daily_revenue").fetchone()[0])
