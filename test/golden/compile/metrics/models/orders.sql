select 1 as id, date '2026-01-01' as ordered_at, 10 as amount
