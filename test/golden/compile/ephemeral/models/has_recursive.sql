WITH RECURSIVE t(n) AS (select 1 union all select n + 1 from t where n < 5)
select * from t, {{ ref('base') }}
