{{ config(access='private') }}
select r.code, r.tons * f.fee as profit from {{ ref('revenue') }} r join {{ ref('fees') }} f using (code)
