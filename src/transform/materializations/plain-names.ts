// Which names DuckDB takes without quotes. With `quote_columns: false` dbt writes a seed's columns as they are, and a name
// that is none ends in an error there; so it does here.

/** `duckdb_keywords()` of the categories that cannot name a column. */
const words = new Set(
  `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create default
  deferrable desc describe distinct do else end except false fetch for foreign from group having in initially intersect into
  lambda lateral leading limit not null offset on only or order pivot pivot_longer pivot_wider placing primary qualify
  references returning select show some summarize symmetric table then to trailing true union unique unpivot using variadic
  when where window with anti right at authorization binary by collation columns concurrently asof freeze full generated glob
  ilike inner is isnull join left like map natural notnull outer overlaps positional verbose semi similar struct tablesample
  try_cast unpack cross`.split(/\s+/),
)

export const isPlainName = (name: string): boolean =>
  /^[\p{L}_][\p{L}\p{N}_$]*$/u.test(name) && !words.has(name.toLowerCase())
