select *, {{ 'true' if is_incremental() else 'false' }} as was_incremental from {{ source('raw', 'events') }}
