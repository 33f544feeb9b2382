{{ dbt.partition_range('20240228, 20240301') }} {{ partition_range('20240101') }}
{{ dates_in_range('2024-01-01', '2024-01-03', in_fmt='%Y-%m-%d', out_fmt="'%d'") }} {{ dbt.dates_in_range('20240101', out_fmt=none) }}
{{ convert_datetime(' 2024-01-01', '%Y-%m-%d') }}
